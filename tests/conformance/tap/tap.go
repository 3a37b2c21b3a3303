// Package tap writes the Test Anything Protocol, version 13. The validation
// programs import it as github.com/mndrix/tap-go, which Debian does not have:
// this is the part of that interface which they use.
package tap

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// T numbers the points of one program.
type T struct {
	Writer io.Writer
	points *int
	todo   bool
}

// New returns a T that writes to stdout.
func New() *T {
	return &T{Writer: os.Stdout, points: new(int)}
}

// Header writes the version, and the plan where it is known beforehand.
func (t *T) Header(points int) {
	fmt.Fprintln(t.Writer, "TAP version 13")
	if points > 0 {
		t.plan(points)
	}
}

// AutoPlan writes the plan of a program that has run all its points.
func (t *T) AutoPlan() {
	t.plan(*t.points)
}

// Ok is one point.
func (t *T) Ok(passed bool, description string) {
	verdict := "ok"
	if !passed {
		verdict = "not ok"
	}
	directive := ""
	if t.todo {
		directive = " # TODO"
	}
	t.point(verdict, directive, description)
}

// Pass is a point that holds.
func (t *T) Pass(description string) { t.Ok(true, description) }

// Fail is a point that does not.
func (t *T) Fail(description string) { t.Ok(false, description) }

// Skip writes count points that were not looked at.
func (t *T) Skip(count int, description string) {
	for ; count > 0; count-- {
		t.point("ok", " # SKIP", description)
	}
}

// Todo returns a T of the same numbering whose points are known to fail.
func (t *T) Todo() *T {
	return &T{Writer: t.Writer, points: t.points, todo: true}
}

// Diagnostic is a comment.
func (t *T) Diagnostic(message string) {
	for _, line := range strings.Split(strings.TrimRight(message, "\n"), "\n") {
		fmt.Fprintf(t.Writer, "# %s\n", line)
	}
}

// Diagnosticf is a formatted comment.
func (t *T) Diagnosticf(format string, values ...interface{}) {
	t.Diagnostic(fmt.Sprintf(format, values...))
}

// YAML attaches a value to the last point, as JSON: all JSON is YAML.
func (t *T) YAML(value interface{}) error {
	text, err := json.MarshalIndent(value, "  ", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.Writer, "  ---\n  %s\n  ...\n", text)
	return err
}

func (t *T) plan(points int) {
	fmt.Fprintf(t.Writer, "1..%d\n", points)
}

// A description may come from an error of several lines; a point is one line.
func (t *T) point(verdict, directive, description string) {
	*t.points++
	line := strings.Join(strings.Split(description, "\n"), " ")
	if directive == "" && line != "" {
		line = "- " + line
	}
	fmt.Fprintf(t.Writer, "%s\n", strings.TrimSpace(fmt.Sprintf("%s %d%s %s", verdict, *t.points, directive, line)))
}
