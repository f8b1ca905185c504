package bridge

// Keys of the structured log's fields; every log line uses these names.
const (
	LogComponent   = "component"
	LogEventID     = "event_id"
	LogSource      = "source"
	LogEventType   = "event_type"
	LogSubject     = "subject"
	LogTemplate    = "template"
	LogRule        = "rule"
	LogReason      = "reason"
	LogDetail      = "detail"
	LogWorkflow    = "workflow"
	LogPhase       = "phase"
	LogOutcome     = "outcome"
	LogAttempt     = "attempt"
	LogUser        = "user"
	LogDestination = "destination"
	LogTook        = "took"
)
