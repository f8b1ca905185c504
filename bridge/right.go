package bridge

// A Right is what somebody may be allowed to do from a chat. Whoever is not named by an Allowance has none of those that
// act.
type Right string

// The rights, as the annotation `slack` and the bridge's config name them. Retry is also for resubmit.
const (
	RightRun     Right = "run"     // start a template
	RightRetry   Right = "retry"   // retry or resubmit a run
	RightStop    Right = "stop"    // stop a run
	RightApprove Right = "approve" // approve or reject at a suspended step
	RightSilence Right = "silence" // silence alerts
	RightView    Right = "view"    // see templates, runs and logs; the one that everybody has where nothing is said
)

// Rights are all rights.
var Rights = []Right{RightRun, RightRetry, RightStop, RightApprove, RightSilence, RightView}

// An Allowance says who has one right. All that is given must hold; the zero value allows nobody.
type Allowance struct {
	// Users are user ids of the service, such as U024BE7LH. Groups are user groups, by id or as @handle. Who is one of
	// Users, or in one of Groups, is meant; where both are empty, everybody in Channels who is no guest of another
	// workspace.
	Users  []string `yaml:"users,omitempty" json:"users,omitempty"`
	Groups []string `yaml:"groups,omitempty" json:"groups,omitempty"`
	// Channels are the channels, by id or as #name, where the right can be used; empty: all.
	Channels []string `yaml:"channels,omitempty" json:"channels,omitempty"`
}

// Allowances are allowances by right. Of a right that is not there nothing is said.
type Allowances map[Right]Allowance

// Right is the right that the act needs.
func (a Act) Right() Right {
	switch a {
	case Start:
		return RightRun
	case Retry, Resubmit:
		return RightRetry
	case Resume, Reject:
		return RightApprove
	case Mute, Unmute:
		return RightSilence
	case Stop:
		return RightStop
	}
	return ""
}
