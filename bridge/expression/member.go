package expression

import (
	"fmt"
	"math"
	"reflect"
)

// member is what a.b and a["b"] mean: null when a is null or has no b. The third argument is the text of a.
func member(arguments ...any) (any, error) {
	base, key := arguments[0], arguments[1]
	switch v := base.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("%s is an object, %v is no name of a member", arguments[2], key)
		}
		return v[name], nil
	case []any:
		i, ok := index(key, len(v))
		if !ok {
			return nil, wrongKey(arguments[2], "a list", key)
		}
		if i < 0 || i >= len(v) {
			return nil, nil
		}
		return v[i], nil
	}
	return reflectedMember(base, key, arguments[2])
}

// reflectedMember serves the maps and lists that functions return: map[string]string, []string, ...
func reflectedMember(base, key, text any) (any, error) {
	v := reflect.ValueOf(base)
	switch v.Kind() {
	case reflect.Map:
		k := reflect.ValueOf(key)
		if !k.IsValid() || !k.Type().AssignableTo(v.Type().Key()) {
			return nil, wrongKey(text, describe(base), key)
		}
		if found := v.MapIndex(k); found.IsValid() {
			return found.Interface(), nil
		}
		return nil, nil
	case reflect.Slice, reflect.Array:
		i, ok := index(key, v.Len())
		if !ok {
			return nil, wrongKey(text, "a list", key)
		}
		if i < 0 || i >= v.Len() {
			return nil, nil
		}
		return v.Index(i).Interface(), nil
	}
	return nil, wrongKey(text, describe(base), key)
}

func wrongKey(text any, what string, key any) error {
	if name, ok := key.(string); ok {
		return fmt.Errorf("%v is %s, it has no member %q", text, what, name)
	}
	return fmt.Errorf("%v is %s, it has no element %v", text, what, key)
}

// index reads a whole number; negative ones count from the end, as in expr-lang.
func index(key any, length int) (int, bool) {
	var i int
	switch k := key.(type) {
	case int:
		i = k
	case float64:
		if k != math.Trunc(k) || math.Abs(k) > math.MaxInt32 {
			return 0, false
		}
		i = int(k)
	default:
		v := reflect.ValueOf(key)
		if !v.IsValid() || !v.CanInt() {
			return 0, false
		}
		i = int(v.Int())
	}
	if i < 0 {
		i += length
	}
	return i, true
}

// slice is what a[from:to] means: null when a is null; bounds beyond the end are the end.
func slice(arguments ...any) (any, error) {
	if arguments[0] == nil {
		return nil, nil
	}
	v := reflect.ValueOf(arguments[0])
	switch v.Kind() {
	case reflect.String, reflect.Slice:
	default:
		return nil, fmt.Errorf("cannot take a slice of %s", describe(arguments[0]))
	}
	from, err := bound(arguments[1], v.Len(), 0)
	if err != nil {
		return nil, err
	}
	to, err := bound(arguments[2], v.Len(), v.Len())
	if err != nil {
		return nil, err
	}
	return v.Slice(min(from, to), to).Interface(), nil
}

func bound(value any, length, unset int) (int, error) {
	if value == nil {
		return unset, nil
	}
	i, ok := index(value, length)
	if !ok {
		return 0, fmt.Errorf("a slice's bound must be a whole number, got %s", describe(value))
	}
	return max(0, min(i, length)), nil
}

// describe names a value's kind in the words of JSON.
func describe(value any) string {
	if value == nil {
		return "null"
	}
	v := reflect.ValueOf(value)
	switch {
	case v.Kind() == reflect.String:
		return "a string"
	case v.Kind() == reflect.Bool:
		return "a boolean"
	case v.CanInt(), v.CanUint(), v.CanFloat():
		return "a number"
	case v.Kind() == reflect.Slice, v.Kind() == reflect.Array:
		return "a list"
	case v.Kind() == reflect.Map:
		return "an object"
	}
	return fmt.Sprintf("a %T", value)
}
