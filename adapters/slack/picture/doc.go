// Package picture shows messages of Block Kit without Slack: as text for a terminal, as a page of HTML, and as a PNG, all
// of which look about as Slack shows them. It takes any message, as chat.postMessage takes it; of blocks that it does not
// know it shows the texts.
//
// It needs no network and no fonts of the system: the PNG is drawn with the Go fonts, which are part of the program.
package picture
