// Command interop meets p2p-peer with go-libp2p in both roles: identities of every key type, identify with a signed
// record, ping, gossipsub messages small and large in both directions, a message pulled by IHAVE and IWANT, and a mesh.
//
//	go run . PATH/TO/p2p-peer [NAME-PART]
//
// One line a case; exit code 0 if all passed, 1 if one failed, 2 for a wrong command line.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const caseTime = 40 * time.Second

// ours is a running p2p-peer.
type ours struct {
	command *exec.Cmd
	address peer.AddrInfo
	exited  chan error
	lines   *lockedText
}

type lockedText struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (t *lockedText) add(line string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.text.WriteString(line + "\n")
}

func (t *lockedText) tail() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	all := strings.TrimSpace(t.text.String())
	if cut := len(all) - 600; cut > 0 {
		all = all[cut:]
	}
	return all
}

func start(ctx context.Context, program string, arguments ...string) (*ours, error) {
	command := exec.CommandContext(ctx, program, arguments...)
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		return nil, err
	}
	node := &ours{command: command, exited: make(chan error, 1), lines: &lockedText{}}
	listening := make(chan peer.AddrInfo, 1)
	go func() {
		reader := bufio.NewScanner(output)
		reader.Buffer(make([]byte, 1<<16), 8<<20)
		for reader.Scan() {
			node.lines.add(reader.Text())
			var event struct {
				Ev    string
				Addrs []string
			}
			if json.Unmarshal(reader.Bytes(), &event) == nil && event.Ev == "listening" && len(event.Addrs) > 0 {
				if info, err := peer.AddrInfoFromString(event.Addrs[0]); err == nil {
					listening <- *info
				}
			}
		}
		_, _ = io.Copy(io.Discard, output)
		node.exited <- command.Wait()
	}()
	for _, argument := range arguments {
		if argument == "none" {
			return node, nil
		}
	}
	select {
	case node.address = <-listening:
		return node, nil
	case <-time.After(5 * time.Second):
		return nil, errors.New("p2p-peer did not say where it listens")
	}
}

// met waits for p2p-peer's own verdict.
func (o *ours) met(ctx context.Context) error {
	select {
	case err := <-o.exited:
		if err != nil {
			return fmt.Errorf("p2p-peer: %w: %s", err, o.lines.tail())
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("p2p-peer did not end: %s", o.lines.tail())
	}
}

// goPeer is a go host that remembers what identify told it.
type goPeer struct {
	host.Host
	mutex sync.Mutex
	told  map[peer.ID]event.EvtPeerIdentificationCompleted
}

func (g *goPeer) identify(id peer.ID) (event.EvtPeerIdentificationCompleted, bool) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	told, ok := g.told[id]
	return told, ok
}

func goHost(keyType int) (*goPeer, error) {
	bits := 0
	if keyType == crypto.RSA {
		bits = 2048
	}
	key, _, err := crypto.GenerateKeyPairWithReader(keyType, bits, rand.Reader)
	if err != nil {
		return nil, err
	}
	h, err := libp2p.New(libp2p.Identity(key), libp2p.NoTransports, libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New), libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay(), libp2p.Ping(true))
	if err != nil {
		return nil, err
	}
	events, err := h.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
	if err != nil {
		return nil, err
	}
	node := &goPeer{Host: h, told: map[peer.ID]event.EvtPeerIdentificationCompleted{}}
	go func() {
		for each := range events.Out() {
			told := each.(event.EvtPeerIdentificationCompleted)
			node.mutex.Lock()
			node.told[told.Peer] = told
			node.mutex.Unlock()
		}
	}()
	return node, nil
}

func join(ctx context.Context, h host.Host, options ...pubsub.Option) (*pubsub.Topic, *pubsub.Subscription, error) {
	// Without flood publishing go drops what it publishes before its mesh's first heartbeat.
	options = append(options, pubsub.WithMaxMessageSize(4<<20), pubsub.WithFloodPublish(true))
	gossip, err := pubsub.NewGossipSub(ctx, h, options...)
	if err != nil {
		return nil, nil, err
	}
	topic, err := gossip.Join("t")
	if err != nil {
		return nil, nil, err
	}
	subscription, err := topic.Subscribe(pubsub.WithBufferSize(4096))
	return topic, subscription, err
}

// waitFor looks every 50 ms.
func waitFor(ctx context.Context, what string, holds func() bool) error {
	for !holds() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("no %s in time", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// receive reads until `count` messages of others came, and fails at a doubled one.
func receive(ctx context.Context, subscription *pubsub.Subscription, self peer.ID, count int) error {
	seen := map[string]bool{}
	for len(seen) < count {
		message, err := subscription.Next(ctx)
		if err != nil {
			return fmt.Errorf("%d of %d messages: %w", len(seen), count, err)
		}
		if message.GetFrom() == self {
			continue
		}
		key := string(message.From) + string(message.Seqno)
		if seen[key] {
			return fmt.Errorf("a message came twice: %.40q", message.Data)
		}
		seen[key] = true
	}
	return nil
}

func identified(ctx context.Context, h *goPeer, id peer.ID) error {
	if err := waitFor(ctx, "identify answer", func() bool { _, ok := h.identify(id); return ok }); err != nil {
		return err
	}
	told, _ := h.identify(id)
	if !strings.Contains(told.AgentVersion, "kms") && !strings.Contains(told.AgentVersion, "p2p-peer") {
		return fmt.Errorf("agent is %q", told.AgentVersion)
	}
	if told.SignedPeerRecord == nil {
		return errors.New("no signed peer record")
	}
	if record, err := told.SignedPeerRecord.Record(); err != nil || record.(*peer.PeerRecord).PeerID != id {
		return fmt.Errorf("signed peer record: %v %v", record, err)
	}
	wanted := []protocol.ID{"/ipfs/ping/1.0.0", "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/meshsub/1.1.0"}
	for _, each := range wanted {
		if !slices.Contains(told.Protocols, each) {
			return fmt.Errorf("%s is not among the protocols %v", each, told.Protocols)
		}
	}
	return nil
}

func pinged(ctx context.Context, h host.Host, id peer.ID, count int) error {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := ping.Ping(limited, h, id)
	for i := 0; i < count; i++ {
		if answer := <-answers; answer.Error != nil {
			return fmt.Errorf("ping %d: %w", i, answer.Error)
		}
	}
	return nil
}

type testCase struct {
	name string
	run  func(ctx context.Context, program string) error
}

// goDials: identify, ping and ten messages each way, go dialling.
func goDials(goKey int, ourArguments ...string) func(context.Context, string) error {
	return func(ctx context.Context, program string) error {
		h, err := goHost(goKey)
		if err != nil {
			return err
		}
		defer h.Close()
		arguments := append([]string{"--listen", "0", "--topic", "t", "--publish", "from ours", "--publish-count", "10",
			"--publish-peers", "1", "--expect", "10", "--expect-peers", "1", "--expect-identify", "1", "--seconds", "30", "--linger", "1500"},
			ourArguments...)
		node, err := start(ctx, program, arguments...)
		if err != nil {
			return err
		}
		topic, subscription, err := join(ctx, h)
		if err != nil {
			return err
		}
		if err := h.Connect(ctx, node.address); err != nil {
			return err
		}
		return exchange(ctx, h, topic, subscription, node, node.address.ID, 10, 10, 20)
	}
}

// exchange publishes `count` messages, receives `expected`, and hears p2p-peer's verdict.
func exchange(ctx context.Context, h *goPeer, topic *pubsub.Topic, subscription *pubsub.Subscription, node *ours,
	id peer.ID, count int, expected int, size int) error {
	if err := identified(ctx, h, id); err != nil {
		return err
	}
	if err := pinged(ctx, h, id, 5); err != nil {
		return err
	}
	if err := waitFor(ctx, "subscriber", func() bool { return len(topic.ListPeers()) > 0 }); err != nil {
		return err
	}
	for i := 0; i < count; i++ {
		payload := make([]byte, size)
		copy(payload, fmt.Sprintf("from go %d", i))
		if err := topic.Publish(ctx, payload); err != nil {
			return err
		}
	}
	if err := receive(ctx, subscription, h.ID(), expected); err != nil {
		return fmt.Errorf("%w; ours: %s", err, node.lines.tail())
	}
	return node.met(ctx)
}

// weDial: the same with p2p-peer dialling.
func weDial(goKey int, ourArguments ...string) func(context.Context, string) error {
	return func(ctx context.Context, program string) error {
		h, err := goHost(goKey)
		if err != nil {
			return err
		}
		defer h.Close()
		topic, subscription, err := join(ctx, h)
		if err != nil {
			return err
		}
		address := h.Addrs()[0].String() + "/p2p/" + h.ID().String()
		arguments := append([]string{"--listen", "none", "--dial", address, "--topic", "t", "--publish", "from ours",
			"--publish-count", "10", "--publish-peers", "1", "--expect", "10", "--expect-identify", "1", "--expect-ping", "3", "--ping", "3",
			"--seconds", "30", "--linger", "1500"}, ourArguments...)
		node, err := start(ctx, program, arguments...)
		if err != nil {
			return err
		}
		if err := waitFor(ctx, "connection", func() bool { return len(h.Network().Peers()) > 0 }); err != nil {
			return fmt.Errorf("%w: %s", err, node.lines.tail())
		}
		return exchange(ctx, h, topic, subscription, node, h.Network().Peers()[0], 10, 10, 20)
	}
}

// large: messages of 1 MB both ways.
func large(ctx context.Context, program string) error {
	h, err := goHost(crypto.Secp256k1)
	if err != nil {
		return err
	}
	defer h.Close()
	topic, subscription, err := join(ctx, h)
	if err != nil {
		return err
	}
	node, err := start(ctx, program, "--listen", "0", "--topic", "t", "--publish-size", "1000000", "--publish-count", "4",
		"--publish-peers", "1", "--expect", "4", "--seconds", "30", "--linger", "1500")
	if err != nil {
		return err
	}
	if err := h.Connect(ctx, node.address); err != nil {
		return err
	}
	if err := waitFor(ctx, "subscriber", func() bool { return len(topic.ListPeers()) > 0 }); err != nil {
		return err
	}
	for i := 0; i < 4; i++ {
		payload := make([]byte, 1000000)
		copy(payload, fmt.Sprintf("large %d", i))
		if err := topic.Publish(ctx, payload); err != nil {
			return err
		}
	}
	for i := 0; i < 4; {
		message, err := subscription.Next(ctx)
		if err != nil {
			return fmt.Errorf("%d of 4: %w", i, err)
		}
		if message.GetFrom() == node.address.ID {
			if len(message.Data) < 1000000 {
				return fmt.Errorf("%d bytes", len(message.Data))
			}
			i++
		}
	}
	return node.met(ctx)
}

// mesh: four go peers that know only ours; what one of them publishes reaches all through ours.
func mesh(ctx context.Context, program string) error {
	const peers, each = 4, 25
	node, err := start(ctx, program, "--listen", "0", "--topic", "t", "--expect", fmt.Sprint(peers*each), "--expect-mesh", fmt.Sprint(peers),
		"--expect-peers", fmt.Sprint(peers), "--seconds", "30", "--linger", "3000")
	if err != nil {
		return err
	}
	var topics []*pubsub.Topic
	var subscriptions []*pubsub.Subscription
	var hosts []host.Host
	for i := 0; i < peers; i++ {
		h, err := goHost(crypto.Ed25519)
		if err != nil {
			return err
		}
		defer h.Close()
		topic, subscription, err := join(ctx, h)
		if err != nil {
			return err
		}
		if err := h.Connect(ctx, node.address); err != nil {
			return err
		}
		topics, subscriptions, hosts = append(topics, topic), append(subscriptions, subscription), append(hosts, h)
	}
	for _, topic := range topics {
		if err := waitFor(ctx, "subscriber", func() bool { return len(topic.ListPeers()) > 0 }); err != nil {
			return err
		}
	}
	time.Sleep(2500 * time.Millisecond) // the mesh forms at heartbeats
	for i := 0; i < each; i++ {
		for p, topic := range topics {
			if err := topic.Publish(ctx, []byte(fmt.Sprintf("%d of %d", i, p))); err != nil {
				return err
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	for i, subscription := range subscriptions {
		if err := receive(ctx, subscription, hosts[i].ID(), (peers-1)*each); err != nil {
			return fmt.Errorf("peer %d: %w; ours: %s", i, err, node.lines.tail())
		}
	}
	return node.met(ctx)
}

// scored: a go host that scores its peers sees nothing in ours to punish.
func scored(ctx context.Context, program string) error {
	h, err := goHost(crypto.Secp256k1)
	if err != nil {
		return err
	}
	defer h.Close()
	worst := 0.0
	var mutex sync.Mutex
	inspect := func(scores map[peer.ID]float64) {
		mutex.Lock()
		defer mutex.Unlock()
		for _, score := range scores {
			worst = min(worst, score)
		}
	}
	parameters := &pubsub.PeerScoreParams{
		AppSpecificScore: func(peer.ID) float64 { return 0 }, AppSpecificWeight: 1, DecayInterval: time.Second, DecayToZero: 0.01,
		BehaviourPenaltyWeight: -10, BehaviourPenaltyDecay: 0.9, RetainScore: time.Minute,
		Topics: map[string]*pubsub.TopicScoreParams{"t": {TopicWeight: 1, TimeInMeshQuantum: time.Second, TimeInMeshWeight: 0.01,
			TimeInMeshCap: 10, FirstMessageDeliveriesWeight: 1, FirstMessageDeliveriesDecay: 0.9, FirstMessageDeliveriesCap: 100,
			InvalidMessageDeliveriesWeight: -10, InvalidMessageDeliveriesDecay: 0.9}},
	}
	thresholds := &pubsub.PeerScoreThresholds{GossipThreshold: -10, PublishThreshold: -50, GraylistThreshold: -80}
	topic, subscription, err := join(ctx, h, pubsub.WithPeerScore(parameters, thresholds), pubsub.WithPeerScoreInspect(inspect, 500*time.Millisecond))
	if err != nil {
		return err
	}
	node, err := start(ctx, program, "--listen", "0", "--topic", "t", "--publish", "from ours", "--publish-count", "100", "--publish-interval", "30",
		"--publish-peers", "1", "--expect", "50", "--seconds", "30", "--linger", "2500")
	if err != nil {
		return err
	}
	if err := h.Connect(ctx, node.address); err != nil {
		return err
	}
	if err := exchange(ctx, h, topic, subscription, node, node.address.ID, 50, 100, 30); err != nil {
		return err
	}
	mutex.Lock()
	defer mutex.Unlock()
	if worst < 0 {
		return fmt.Errorf("go scored ours %v", worst)
	}
	return nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . PATH/TO/p2p-peer [NAME-PART]")
		os.Exit(2)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	program, part := os.Args[1], ""
	if len(os.Args) > 2 {
		part = os.Args[2]
	}
	cases := []testCase{
		{"go secp256k1 dials ours", goDials(crypto.Secp256k1)},
		{"go ed25519 dials ours, an ed25519 peer", goDials(crypto.Ed25519, "--key-type", "ed25519")},
		{"go RSA dials ours", goDials(crypto.RSA)},
		{"go ECDSA dials ours", goDials(crypto.ECDSA)},
		{"go dials ours, muxer by multistream-select", goDials(crypto.Ed25519, "--no-early-muxer")},
		{"go dials ours, meshsub 1.1", goDials(crypto.Ed25519, "--max-protocol", "1.1")},
		{"ours dials go secp256k1", weDial(crypto.Secp256k1)},
		{"ours, ed25519, dials go ed25519", weDial(crypto.Ed25519, "--key-type", "ed25519")},
		{"ours dials go RSA", weDial(crypto.RSA)},
		{"ours dials go ECDSA", weDial(crypto.ECDSA)},
		{"ours dials go, muxer by multistream-select", weDial(crypto.Secp256k1, "--no-early-muxer")},
		{"messages of 1 MB both ways", large},
		{"four go peers meet through ours", mesh},
		{"go's scoring finds no fault in ours", scored},
	}
	passed, failed := 0, 0
	for _, each := range cases {
		if !strings.Contains(each.name, part) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), caseTime)
		began := time.Now()
		err := each.run(ctx, program)
		cancel()
		if err != nil {
			failed++
			fmt.Printf("FAIL %s: %v\n", each.name, err)
		} else {
			passed++
			fmt.Printf("ok   %s (%.1f s)\n", each.name, time.Since(began).Seconds())
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
