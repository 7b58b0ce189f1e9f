// Signs and verifies images as notation does, by its library: its command line cannot be installed through Go's proxy.
//
//	notation sign HOST/REPO@DIGEST KEY.pem CHAIN.pem [jws|cose] [EXPIRES]
//	notation verify HOST/REPO@DIGEST ROOT.pem
package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"oras.land/oras-go/v2/registry/remote"
)

var mediaTypes = map[string]string{"jws": "application/jose+json", "cose": "application/cose"}

// The one certificate that is trusted, as every store.
type oneRoot []*x509.Certificate

func (root oneRoot) GetCertificates(context.Context, truststore.Type, string) ([]*x509.Certificate, error) {
	return root, nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("sign HOST/REPO@DIGEST KEY CHAIN [jws|cose] [EXPIRES], or verify HOST/REPO@DIGEST ROOT")
	}
	ctx := context.Background()
	name := words[1]
	remote, err := remote.NewRepository(name)
	if err != nil {
		return err
	}
	remote.PlainHTTP = true
	repository := registry.NewRepository(remote)
	if words[0] == "verify" {
		return verify(ctx, repository, name, words[2])
	}
	format := "jws"
	if len(words) > 4 {
		format = words[4]
	}
	expires := time.Duration(0)
	if len(words) > 5 {
		if expires, err = time.ParseDuration(words[5]); err != nil {
			return err
		}
	}
	by, err := signer.NewFromFiles(words[2], words[3])
	if err != nil {
		return err
	}
	_, err = notation.Sign(ctx, by, repository, notation.SignOptions{
		SignerSignOptions: notation.SignerSignOptions{SignatureMediaType: mediaTypes[format], ExpiryDuration: expires},
		ArtifactReference: name,
	})
	return err
}

func verify(ctx context.Context, repository registry.Repository, name string, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	policy := &trustpolicy.Document{Version: "1.0", TrustPolicies: []trustpolicy.TrustPolicy{{
		Name:           "all",
		RegistryScopes: []string{"*"},
		SignatureVerification: trustpolicy.SignatureVerification{
			VerificationLevel: "strict",
			Override:          map[trustpolicy.ValidationType]trustpolicy.ValidationAction{"revocation": "skip"},
		},
		TrustStores:       []string{"ca:all"},
		TrustedIdentities: []string{"*"},
	}}}
	judge, err := verifier.New(policy, oneRoot{root}, nil)
	if err != nil {
		return err
	}
	_, _, err = notation.Verify(ctx, judge, repository, notation.VerifyOptions{ArtifactReference: name, MaxSignatureAttempts: 10})
	return err
}
