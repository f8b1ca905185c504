package picture

import "image/color"

// A shape is what an emoji is drawn as in a PNG, since no font with emoji is part of the program.
type shape int

const (
	disc shape = iota
	square
	cross
	check
	play
	forward
	bars
	bang
	letterI
	hand
	glass
	lock
	bell
)

// A symbol is an emoji: its character, and how it is drawn.
type symbol struct {
	char  string
	shape shape
	color color.RGBA
}

var (
	red    = color.RGBA{0xdd, 0x2e, 0x44, 0xff}
	green  = color.RGBA{0x3c, 0xb0, 0x5f, 0xff}
	blue   = color.RGBA{0x3b, 0x88, 0xc3, 0xff}
	yellow = color.RGBA{0xff, 0xcc, 0x4d, 0xff}
	orange = color.RGBA{0xf4, 0x90, 0x0c, 0xff}
	grey   = color.RGBA{0x66, 0x75, 0x7f, 0xff}
)

// symbols are the emoji that are shown, by the names that Slack gives them.
var symbols = map[string]symbol{
	"x":                      {"❌", cross, red},
	"white_check_mark":       {"✅", check, green},
	"heavy_check_mark":       {"✔️", check, green},
	"large_green_circle":     {"🟢", disc, green},
	"red_circle":             {"🔴", disc, red},
	"large_yellow_circle":    {"🟡", disc, yellow},
	"large_blue_circle":      {"🔵", disc, blue},
	"arrow_forward":          {"▶️", play, blue},
	"fast_forward":           {"⏩", forward, blue},
	"hourglass_flowing_sand": {"⏳", glass, orange},
	"hourglass":              {"⌛", glass, orange},
	"raised_hand":            {"✋", hand, yellow},
	"hand":                   {"✋", hand, yellow},
	"lock":                   {"🔒", lock, orange},
	"no_entry":               {"⛔", bars, red},
	"no_bell":                {"🔕", bell, grey},
	"black_square_for_stop":  {"⏹️", square, grey},
	"octagonal_sign":         {"🛑", square, red},
	"warning":                {"⚠️", bang, orange},
	"information_source":     {"ℹ️", letterI, blue},
	"rocket":                 {"🚀", play, orange},
	"fire":                   {"🔥", disc, orange},
	"tada":                   {"🎉", disc, yellow},
}
