package signin_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// idToken gets an ID token as a program does, with an independent client library.
func (s *site) idToken(t *testing.T, client, number string) string {
	t.Helper()
	found, err := oidc.NewProvider(context.Background(), s.URL+"/demo-sign-in")
	if err != nil {
		t.Fatal(err)
	}
	config := oauth2.Config{
		ClientID: client, Endpoint: found.Endpoint(), RedirectURL: "http://127.0.0.1:1/callback", Scopes: []string{"openid"},
	}
	verifier := oauth2.GenerateVerifier()
	var back *url.URL
	browser := http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		back = r.URL
		return http.ErrUseLastResponse
	}}
	answer, err := browser.Get(config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		t.Fatal(err)
	}
	_, page, there := read(t, answer)
	form := hidden(t, page)
	form.Set("number", number)
	there.RawQuery = ""
	answer, err = browser.PostForm(there.String(), form)
	if err != nil {
		t.Fatal(err)
	}
	read(t, answer)
	if back == nil || back.Query().Get("state") != "state" || back.Query().Get("iss") != s.URL+"/demo-sign-in" {
		t.Fatalf("sent back to %v", back)
	}
	tokens, err := config.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	info, err := found.UserInfo(t.Context(), oauth2.StaticTokenSource(tokens))
	if err != nil || info.Subject == "" {
		t.Errorf("userinfo: %v", err)
	}
	return tokens.Extra("id_token").(string)
}
