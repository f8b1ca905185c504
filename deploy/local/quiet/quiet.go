// Package quiet keeps Argo's packages from logging while a program that imports
// them starts: three lines before the first word of every command.
//
// It works because Go initialises packages that are ready in the order of their
// import paths: this one, which needs only logrus, comes before all of Argo's.
package quiet

import "github.com/sirupsen/logrus"

// before is the level that the logger had.
var before = silence()

func silence() logrus.Level {
	level := logrus.GetLevel()
	logrus.SetLevel(logrus.WarnLevel)
	return level
}

// Over lets the logger speak again as it did before.
func Over() { logrus.SetLevel(before) }
