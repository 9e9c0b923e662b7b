// The program that takes the pictures of the README with the installed Chromium: make pictures.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/dev/allinone"
	"github.com/holdfast-run/holdfast/examples/counter"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run starts a program of its own, lets the counter count, and writes the pictures into the directory.
func run(ctx context.Context, dir string) error {
	c := config.Default()
	c.Dev.Ephemeral = true
	program, err := allinone.Start(ctx, allinone.Options{
		Apps: []*holdfast.App{counter.App()}, Config: c, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	defer program.Stop() //nolint:errcheck // everything is in memory
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("hide-scrollbars", true))
	ctx, cancel := chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	workflow, err := countAndShoot(ctx, program.URL()+"counter/", dir)
	if err != nil {
		return fmt.Errorf("the counter: %w", err)
	}
	if err := shootWorkflow(ctx, workflow, dir); err != nil {
		return fmt.Errorf("the Web UI: %w", err)
	}
	return nil
}

// countAndShoot takes the counter while it counts, light and dark, and returns the address of its
// workflow in the Web UI.
func countAndShoot(ctx context.Context, url, dir string) (string, error) {
	if err := chromedp.Do(ctx,
		chromedp.Navigate(url), chromedp.WaitEnabled("#toggle"),
		chromedp.Focus("#max"), chromedp.SetValue("#max", ""), chromedp.SendKeys("#max", "30"), chromedp.Blur("#max"),
		chromedp.Click("#toggle"), chromedp.WaitVisible("#tasks a"),
	); err != nil {
		return "", fmt.Errorf("start it: %w", err)
	}
	for _, shot := range []struct {
		file, scheme  string
		width, height int64
	}{
		{"counter-light.png", "light", 560, 560},
		{"counter-dark.png", "dark", 560, 560},
	} {
		if err := shoot(ctx, filepath.Join(dir, shot.file), shot.scheme, shot.width, shot.height); err != nil {
			return "", err
		}
	}
	link, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("#tasks a").href`))
	if err != nil {
		return "", fmt.Errorf("find the link: %w", err)
	}
	if _, err = chromedp.Run(ctx, chromedp.Poll[bool](`document.getElementById("counter").textContent === "6"`)); err != nil {
		return "", fmt.Errorf("wait for the count: %w", err)
	}
	return link, nil
}

func shootWorkflow(ctx context.Context, url, dir string) error {
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url), chromedp.Sleep(4*time.Second)); err != nil {
		return fmt.Errorf("open it: %w", err)
	}
	if err := shoot(ctx, filepath.Join(dir, "workflow.png"), "light", 1280, 900); err != nil {
		return err
	}
	// The event history, with each section under its name.
	if err := chromedp.Do(ctx, chromedp.Click(`a[href*="/history?"]`), chromedp.Sleep(2*time.Second)); err != nil {
		return fmt.Errorf("open the history: %w", err)
	}
	return shoot(ctx, filepath.Join(dir, "history.png"), "light", 1280, 1200)
}

// colourScheme has the page believe that its user prefers light or dark.
func colourScheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err //nolint:wrapcheck // chromedp says which action it is of
	})
}

// shoot writes what the tab shows in a window of this size.
func shoot(ctx context.Context, path, scheme string, width, height int64) error {
	if err := chromedp.Do(ctx,
		chromedp.EmulateViewport(width, height, chromedp.EmulateScale(2)),
		colourScheme(scheme),
		chromedp.Sleep(300*time.Millisecond), // until it is drawn
	); err != nil {
		return fmt.Errorf("set the window: %w", err)
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return fmt.Errorf("take the picture: %w", err)
	}
	return os.WriteFile(path, picture, 0o644) //nolint:gosec,wrapcheck // for all to see; it names the path
}
