package allinone

import (
	"context"
	"fmt"
	"net"

	"github.com/holdfast-run/holdfast/cmd/command"
)

// startCodec serves what decrypts for the Web UI, if there are keys and a token. It returns where, or nothing.
func (p *Program) startCodec(ctx context.Context, o Options, uiPort int) (string, error) {
	if o.Config.Temporal.EncryptionKeys.IsEmpty() || o.Config.Codec.Token.IsEmpty() {
		return "", nil
	}
	o.Config.Codec.Origins = append(o.Config.Codec.Origins, fmt.Sprintf("http://127.0.0.1:%d", uiPort))
	handler, err := command.CodecServer(o.Config)
	if err != nil {
		return "", err
	}
	listener, err := p.listen(ctx, "the codec server", "codec.address", o.Config.Codec.Address)
	if err != nil {
		return "", err
	}
	p.serve(listener, handler, func(context.Context) error { return nil }, o.Logger) //nolint:contextcheck // ctx bounds the start alone
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return "", err //nolint:wrapcheck // a listener's own address
	}
	url := "http://127.0.0.1:" + port // the host of the Web UI's URL, so that its page may send the cookie
	p.notes = append(p.notes, "What tasks store in Temporal is encrypted; sign in at "+url+"/ to see it in the Web UI.")
	return url, nil
}
