# The program holdfast in an image of its own: one static binary, root certificates, no shell, not root.
#
#   docker build -t holdfast .
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
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags "-s -w" -o /out/holdfast "$PROGRAM"

# Root certificates, time zones and the user nonroot (65532), nothing else.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/holdfast /holdfast
USER 65532:65532
ENTRYPOINT ["/holdfast"]
