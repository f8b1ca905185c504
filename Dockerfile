# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/argo-bridge ./cmd/argo-bridge

# CA certificates, time zones and a user without rights; no shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/argo-bridge /usr/local/bin/argo-bridge
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/argo-bridge"]
CMD ["serve"]
