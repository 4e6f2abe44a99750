package main

import (
	"fmt"
	"time"

	"yagona/channel/email"
	"yagona/channel/sms"
	"yagona/channel/telegram"
	"yagona/kernel/notice"
)

// carriers returns what is configured. An error shows no secret.
func (c MessagesConfig) carriers() (map[string]notice.Carrier, error) {
	carriers := map[string]notice.Carrier{}
	if e := c.Email; e.Server != "" || e.From != "" {
		carrier := &email.Carrier{Server: e.Server, Implicit: e.TLS, User: e.User, Password: e.Password, From: e.From, Clock: time.Now}
		if err := carrier.Check(); err != nil {
			return nil, fmt.Errorf("messages.email: %w", err)
		}
		carriers["email"] = carrier
	}
	if s := c.SMS; s.URL != "" || s.Body != "" {
		gateway := &sms.Gateway{
			URL: s.URL, Method: s.Method, Type: s.Type, Body: s.Body, Header: s.Header, Receipt: s.Receipt,
			Status: s.Status.URL, StatusMember: s.Status.Member, StatusDelivered: s.Status.Delivered, StatusFailed: s.Status.Failed,
		}
		if err := gateway.Check(); err != nil {
			return nil, fmt.Errorf("messages.sms: %w", err)
		}
		carriers["sms"] = gateway
	}
	if t := c.Telegram; t.Bot != "" || t.Token != "" {
		bot := &telegram.Bot{Name: t.Bot, Token: t.Token}
		if err := bot.Check(); err != nil {
			return nil, fmt.Errorf("messages.telegram: %w", err)
		}
		carriers["telegram"] = bot
	}
	return carriers, nil
}
