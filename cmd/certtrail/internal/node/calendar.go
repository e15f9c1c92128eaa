package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/certtrail/certtrail/schema/durable"
)

// calendarName names the file in the data directory that holds the secret of the calendar's address.
const calendarName = "calendar-secret"

// calendarSecret keeps the secret of the address that calendar programs subscribe to. It makes the secret on first use.
// web.Calendar.
type calendarSecret struct {
	path string

	mu    sync.Mutex
	known string
}

func newCalendarSecret(dataDir string) *calendarSecret {
	return &calendarSecret{path: filepath.Join(dataDir, calendarName)}
}

// Secret returns the secret, and makes it if there is none.
func (c *calendarSecret) Secret() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known != "" {
		return c.known, nil
	}
	text, err := os.ReadFile(c.path)
	if secret := strings.TrimSpace(string(text)); err == nil && secret != "" {
		c.known = secret
		return secret, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("couldn't read the secret of the calendar's address: %w", err)
	}
	err = c.make()
	return c.known, err
}

// Renew makes another secret in its place.
func (c *calendarSecret) Renew() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.make()
}

// make writes a new secret beside the old one and puts it in its place, so that a crash leaves one of them whole.
func (c *calendarSecret) make() error {
	secret := rand.Text()
	if err := durable.WriteFile(c.path, []byte(secret+"\n"), 0o600); err != nil {
		return fmt.Errorf("couldn't write the secret of the calendar's address: %w", err)
	}
	c.known = secret
	return nil
}
