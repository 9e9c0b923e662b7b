# The program holdfast in an image of its own: one static binary, root certificates, no shell, not root.
#
#   docker build -t holdfast --build-arg VERSION="$(git describe --tags --always --dirty)" .
#   docker run --rm holdfast version
#
# An author's own program is built the same way, from another PROGRAM.

# The version of Go is that of go.work, so that what is tested is what is shipped.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
WORKDIR /src
# Only the root module goes in, and no other Go than this one is fetched.
ENV CGO_ENABLED=0 GOWORK=off GOTOOLCHAIN=local

# The modules have a layer of their own: they change more seldom than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

COPY . .
ARG PROGRAM=./cmd/holdfast
# What "version" says, for the repository stays outside.
ARG VERSION=
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/holdfast-run/holdfast/cmd/command.stamped=$VERSION" -o /out/holdfast "$PROGRAM"

# Root certificates, time zones and the user nonroot (65532), nothing else. It has no tags with a version, so the digest says which one it is:
# that of the index for all architectures, in autumn 2026. It is to be renewed with Go's version, for the sake of the certificates:
# docker buildx imagetools inspect gcr.io/distroless/static-debian13:nonroot
FROM gcr.io/distroless/static-debian13:nonroot@sha256:e2e927ec666bae08560abb3c55d0659eceabb657f56b6782ab500a9fc7f555e3
COPY --from=build /out/holdfast /holdfast
USER 65532:65532
ENTRYPOINT ["/holdfast"]
