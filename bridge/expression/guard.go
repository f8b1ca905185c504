package expression

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// maxMade bounds what one call of a sprig function may make, in bytes or elements. expr-lang's own
// memory budget does not see into functions.
const maxMade = 1 << 20

// guard keeps a sprig function from making more than [maxMade], and from changing its arguments.
func guard(name string, f func(...any) (any, error)) func(...any) (any, error) {
	switch {
	case name == "repeat":
		return limited(name, func(arguments []any) float64 {
			return largest(arguments) * float64(max(1, textLength(arguments)))
		}, f)
	case name == "untilStep":
		return limited(name, steps, f)
	case name == "until", name == "seq", name == "indent", name == "nindent", strings.HasPrefix(name, "rand"):
		return limited(name, largest, f)
	case name == "set", name == "unset", strings.HasPrefix(name, "merge"), strings.HasPrefix(name, "mustMerge"):
		return func(arguments ...any) (any, error) {
			copied := make([]any, len(arguments))
			for i, a := range arguments {
				copied[i] = deepCopy(a)
			}
			return f(copied...)
		}
	}
	return f
}

func limited(name string, size func([]any) float64, f func(...any) (any, error)) func(...any) (any, error) {
	return func(arguments ...any) (any, error) {
		if size(arguments) > maxMade {
			return nil, fmt.Errorf("sprig.%s would make more than %d bytes or elements", name, maxMade)
		}
		return f(arguments...)
	}
}

func largest(arguments []any) float64 {
	var most float64
	for _, a := range arguments {
		most = max(most, math.Abs(number(a)))
	}
	return most
}

func steps(arguments []any) float64 {
	if len(arguments) != 3 {
		return 0
	}
	step := math.Abs(number(arguments[2]))
	if step == 0 {
		return 0
	}
	return math.Abs(number(arguments[1])-number(arguments[0])) / step
}

func number(a any) float64 {
	v := reflect.ValueOf(a)
	switch {
	case !v.IsValid():
		return 0
	case v.CanInt():
		return float64(v.Int())
	case v.CanUint():
		return float64(v.Uint())
	case v.CanFloat():
		return v.Float()
	}
	return 0
}

func textLength(arguments []any) int {
	total := 0
	for _, a := range arguments {
		if s, ok := a.(string); ok {
			total += len(s)
		}
	}
	return total
}

// deepCopy copies JSON values; others are returned as they are.
func deepCopy(value any) any {
	switch v := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for k, e := range v {
			copied[k] = deepCopy(e)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, e := range v {
			copied[i] = deepCopy(e)
		}
		return copied
	}
	return value
}
