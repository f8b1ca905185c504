package expression

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"

	"github.com/argoproj/argo-workflows/v3/util/expr/env"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// functions is the table of all functions beside expr-lang's builtins, made once.
var functions = sync.OnceValue(buildFunctions)

// functionNames are the names that an author may have meant.
var functionNames = sync.OnceValue(func() []string {
	var names []string
	for name := range functions() {
		if name != memberFunction && name != sliceFunction {
			names = append(names, name)
		}
	}
	for _, b := range builtin.Builtins {
		names = append(names, b.Name)
	}
	slices.Sort(names)
	return names
})

func buildFunctions() conf.FunctionsTable {
	table := conf.FunctionsTable{}
	add := func(name string, f func(...any) (any, error)) {
		table[name] = &builtin.Function{Name: name, Func: f}
	}
	add(memberFunction, member)
	add(sliceFunction, slice)
	for name, f := range env.GetFuncMap(nil) {
		if name == sprigName {
			continue
		}
		add(name, adapt(name, f))
	}
	sprig, _ := env.GetFuncMap(nil)[sprigName].(map[string]any)
	for name, f := range sprig {
		if name == "getHostByName" {
			continue
		}
		full := sprigName + "." + name
		add(full, guard(name, adapt(full, f)))
	}
	return table
}

// adapt makes any Go function callable with values of JSON: a whole float64 is an int where an int
// is wanted, and a value that does not fit is an error that names the argument.
func adapt(name string, f any) func(...any) (any, error) {
	fn := reflect.ValueOf(f)
	t := fn.Type()
	return func(arguments ...any) (any, error) {
		if err := countArguments(name, t, len(arguments)); err != nil {
			return nil, err
		}
		in := make([]reflect.Value, len(arguments))
		for i, a := range arguments {
			v, ok := convert(a, argumentType(t, i))
			if !ok {
				return nil, fmt.Errorf("%s: argument %d is %s, want %s", name, i+1, describe(a), argumentType(t, i))
			}
			in[i] = v
		}
		return result(name, fn.Call(in))
	}
}

func countArguments(name string, t reflect.Type, got int) error {
	want := t.NumIn()
	if t.IsVariadic() && got >= want-1 || got == want {
		return nil
	}
	if t.IsVariadic() {
		return fmt.Errorf("%s wants at least %d arguments, got %d", name, want-1, got)
	}
	return fmt.Errorf("%s wants %d arguments, got %d", name, want, got)
}

func argumentType(t reflect.Type, i int) reflect.Type {
	if t.IsVariadic() && i >= t.NumIn()-1 {
		return t.In(t.NumIn() - 1).Elem()
	}
	return t.In(i)
}

func convert(a any, want reflect.Type) (reflect.Value, bool) {
	v := reflect.ValueOf(a)
	if !v.IsValid() {
		switch want.Kind() {
		case reflect.Interface, reflect.Map, reflect.Slice, reflect.Pointer:
			return reflect.Zero(want), true
		}
		return v, false
	}
	if v.Type().AssignableTo(want) {
		return v, true
	}
	if f, ok := a.(float64); ok && f != math.Trunc(f) && want.Kind() != reflect.Float32 {
		return v, false
	}
	if isNumber(v.Kind()) && isNumber(want.Kind()) {
		return v.Convert(want), true
	}
	return v, false
}

func isNumber(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Float64 }

func result(name string, out []reflect.Value) (any, error) {
	if len(out) == 0 {
		return nil, nil
	}
	if err, ok := out[len(out)-1].Interface().(error); ok && len(out) > 1 && err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out[0].Interface(), nil
}
