package redis

import (
	"context"
	"crypto/sha1" //nolint:gosec // it is the name that Redis gives to a script
	"embed"
	"encoding/hex"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var sources embed.FS

// script is a Lua script that the server keeps by its hash.
type script struct{ source, hash string }

// scripts are those of the directory of that name.
type scripts struct {
	acquire, renew, release, commit, notice script
	load, changes, outbox, listed           script
	touch, expire, enter, entries, leave    script
	present, lapsed, forget, concerns       script
	lease, living, probe, postpone          script
	presence, strike                        script
}

func readScripts() (s scripts, err error) {
	for name, to := range map[string]*script{
		"acquire": &s.acquire, "renew": &s.renew, "release": &s.release, "commit": &s.commit, "notice": &s.notice,
		"load": &s.load, "changes": &s.changes, "outbox": &s.outbox, "listed": &s.listed,
		"touch": &s.touch, "expire": &s.expire, "enter": &s.enter, "entries": &s.entries, "leave": &s.leave,
		"present": &s.present, "lapsed": &s.lapsed, "forget": &s.forget, "concerns": &s.concerns,
		"lease": &s.lease, "presence": &s.presence, "strike": &s.strike, "living": &s.living, "probe": &s.probe, "postpone": &s.postpone,
	} {
		source, err := sources.ReadFile("scripts/" + name + ".lua")
		if err != nil {
			return s, fmt.Errorf("read a script: %w", err)
		}
		sum := sha1.Sum(source) //nolint:gosec // as above
		*to = script{source: string(source), hash: hex.EncodeToString(sum[:])}
	}
	return s, nil
}

// command is the call of the script by its hash or, for a server that does not have it yet, by its text.
func (s script) command(ctx context.Context, byHash bool, keys []string, args []any) *goredis.Cmd {
	words := make([]any, 0, 3+len(keys)+len(args))
	if byHash {
		words = append(words, "evalsha", s.hash, len(keys))
	} else {
		words = append(words, "eval", s.source, len(keys))
	}
	for _, key := range keys {
		words = append(words, key)
	}
	cmd := goredis.NewCmd(ctx, append(words, args...)...)
	cmd.SetFirstKeyPos(3)
	return cmd
}

// run runs a script that does no harm when the client repeats it after a broken connection.
func (d *Driver) run(ctx context.Context, s script, keys []string, args ...any) *goredis.Cmd {
	return d.process(ctx, s, keys, args, func(cmd *goredis.Cmd) goredis.Cmder { return cmd })
}

// once runs a script that the client must not repeat by itself.
func (d *Driver) once(ctx context.Context, s script, keys []string, args ...any) *goredis.Cmd {
	return d.process(ctx, s, keys, args, func(cmd *goredis.Cmd) goredis.Cmder { return unrepeated{cmd} })
}

func (d *Driver) process(
	ctx context.Context, s script, keys []string, args []any, as func(*goredis.Cmd) goredis.Cmder,
) *goredis.Cmd {
	cmd := s.command(ctx, true, keys, args)
	if err := d.client.Process(ctx, as(cmd)); goredis.HasErrorPrefix(err, "NOSCRIPT") {
		cmd = s.command(ctx, false, keys, args)
		_ = d.client.Process(ctx, as(cmd)) // the command has the error
	}
	return cmd
}

// unrepeated is a command that the client does not send again when the answer is lost.
type unrepeated struct{ *goredis.Cmd }

// NoRetry tells the client so.
func (unrepeated) NoRetry() bool { return true }

// pipe puts a script into a pipeline. There it goes as text: within a pipeline nobody can answer a server that does not have it.
func (s script) pipe(ctx context.Context, p goredis.Pipeliner, keys []string, args ...any) *goredis.Cmd {
	cmd := s.command(ctx, false, keys, args)
	_ = p.Process(ctx, cmd) // it is queued
	return cmd
}
