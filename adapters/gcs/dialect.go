package gcs

import "github.com/argo-bridge/argo-bridge/bridge"

// Dialect is Cloud Storage's part of the annotation language.
func Dialect() bridge.Dialect {
	d := bridge.Dialect{
		Source: source,
		// The names, types and metadata of objects are chosen by whoever may write to the bucket.
		Untrusted: []string{
			"gcs.name", "gcs.contentType", "gcs.metadata", "gcs.attributes.objectId",
			"gcs.object.name", "gcs.object.contentType", "gcs.object.contentDisposition", "gcs.object.contentEncoding",
			"gcs.object.contentLanguage", "gcs.object.cacheControl", "gcs.object.metadata", "gcs.object.id",
			"data.name", "data.contentType", "data.contentDisposition", "data.contentEncoding",
			"data.contentLanguage", "data.cacheControl", "data.metadata", "data.id", "event.subject", "event.id",
		},
	}
	for _, k := range kinds {
		d.Events = append(d.Events, source+"."+k.name)
	}
	object := objectShape()
	gcs := fields("bucket", "name", "generation", "metageneration", "size", "contentType", "eventType",
		"timeCreated", "updated", "overwroteGeneration", "overwrittenByGeneration")
	// Metadata and attributes have members of their users' choice.
	gcs.Fields["metadata"], gcs.Fields["attributes"], gcs.Fields["object"] = nil, nil, object
	shape := map[string]*bridge.Shape{source: gcs, "data": object}
	d.Variables = func(string) map[string]*bridge.Shape { return shape }
	return d
}

// objectShape is the object resource: https://cloud.google.com/storage/docs/json_api/v1/objects#resource
func objectShape() *bridge.Shape {
	o := fields("kind", "id", "selfLink", "mediaLink", "name", "bucket", "generation", "metageneration",
		"contentType", "storageClass", "size", "softDeleteTime", "hardDeleteTime", "md5Hash", "crc32c", "etag",
		"contentEncoding", "contentDisposition", "contentLanguage", "cacheControl", "componentCount",
		"temporaryHold", "eventBasedHold", "retentionExpirationTime", "kmsKeyName", "timeCreated", "updated",
		"timeDeleted", "timeStorageClassUpdated", "customTime", "timeFinalized", "restoreToken")
	o.Fields["metadata"] = nil
	o.Fields["contexts"] = nil
	o.Fields["owner"] = fields("entity", "entityId")
	o.Fields["customerEncryption"] = fields("encryptionAlgorithm", "keySha256")
	o.Fields["retention"] = fields("retainUntilTime", "mode")
	acl := fields("kind", "id", "selfLink", "bucket", "object", "generation", "entity", "role", "email", "entityId", "domain", "etag")
	acl.Fields["projectTeam"] = fields("projectNumber", "team")
	o.Fields["acl"] = &bridge.Shape{Items: acl}
	return o
}

func fields(names ...string) *bridge.Shape {
	s := &bridge.Shape{Fields: map[string]*bridge.Shape{}}
	for _, n := range names {
		s.Fields[n] = &bridge.Shape{Scalar: true}
	}
	return s
}
