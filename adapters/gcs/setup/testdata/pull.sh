GCS_AGENT=$(gcloud storage service-agent --project=acme)
PUBSUB_AGENT=service-$(gcloud projects describe acme --format='value(projectNumber)')@gcp-sa-pubsub.iam.gserviceaccount.com
gcloud pubsub topics create projects/acme/topics/argo-bridge
gcloud pubsub topics create projects/acme/topics/argo-bridge-dead
gcloud pubsub subscriptions create projects/acme/subscriptions/argo-bridge-dead --topic=projects/acme/topics/argo-bridge-dead --message-retention-duration=604800s --expiration-period=never
gcloud pubsub subscriptions create projects/acme/subscriptions/argo-bridge --topic=projects/acme/topics/argo-bridge --ack-deadline=60 --message-retention-duration=604800s --expiration-period=never --min-retry-delay=10s --max-retry-delay=600s --dead-letter-topic=projects/acme/topics/argo-bridge-dead --max-delivery-attempts=100
gcloud pubsub topics add-iam-policy-binding projects/acme/topics/argo-bridge --member="serviceAccount:$GCS_AGENT" --role=roles/pubsub.publisher
gcloud pubsub topics add-iam-policy-binding projects/acme/topics/argo-bridge-dead --member="serviceAccount:$PUBSUB_AGENT" --role=roles/pubsub.publisher
gcloud pubsub subscriptions add-iam-policy-binding projects/acme/subscriptions/argo-bridge --member="serviceAccount:$PUBSUB_AGENT" --role=roles/pubsub.subscriber
gcloud pubsub subscriptions add-iam-policy-binding projects/acme/subscriptions/argo-bridge --member=serviceAccount:argo-bridge@acme.iam.gserviceaccount.com --role=roles/pubsub.subscriber
gcloud storage buckets notifications create gs://landing-prod --topic=projects/acme/topics/argo-bridge --event-types=OBJECT_FINALIZE --payload-format=json --skip-topic-setup
