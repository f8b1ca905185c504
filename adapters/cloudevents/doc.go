// Package cloudevents takes any CloudEvent over HTTP, in the structured, the binary and the batched mode
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md).
//
// [Endpoints] answers POST /webhooks/cloudevents/<name>. Each name has its own secrets, and says which types
// and sources it takes. Types that the bridge's own sources use are refused unless the name lists them, so
// that nobody forges a push. There are no facts to derive: such an event's name in `on` is its type.
package cloudevents
