// Makes calls: reads one a line as JSON, and prints what it has returned, or its error.
//
// A call has service, operation, parameters and, if they are not those of the environment,
// credentials. Bytes are Base64, as in all JSON of Go.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

type call struct {
	Service, Operation string
	Parameters         json.RawMessage
	Credentials        struct{ AccessKeyId, SecretAccessKey, SessionToken string }
}

type answer struct {
	Output  any      `json:"output,omitempty"`
	Code    string   `json:"code,omitempty"`
	Message string   `json:"message,omitempty"`
	Types   []string `json:"types,omitempty"`
}

// The clients, by service and credentials.
var clients = map[string]any{}

func findClient(each call) any {
	name := fmt.Sprint(each.Service, each.Credentials)
	if clients[name] == nil {
		clients[name] = makeClient(each)
	}
	return clients[name]
}

func makeClient(each call) any {
	loaded, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	// Versions of before November 2023 do not read these variables themselves.
	url := os.Getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(each.Service))
	if url == "" {
		url = os.Getenv("AWS_ENDPOINT_URL")
	}
	if url == "" {
		panic("no endpoint of " + each.Service)
	}
	loaded.EndpointResolverWithOptions = aws.EndpointResolverWithOptionsFunc(
		func(_, region string, _ ...any) (aws.Endpoint, error) {
			return aws.Endpoint{URL: url, SigningRegion: region}, nil
		},
	)
	if given := each.Credentials; given.AccessKeyId != "" {
		loaded.Credentials = credentials.NewStaticCredentialsProvider(
			given.AccessKeyId, given.SecretAccessKey, given.SessionToken,
		)
	}
	switch each.Service {
	case "kms":
		return kms.NewFromConfig(loaded)
	case "sts":
		return sts.NewFromConfig(loaded)
	case "cloudtrail":
		return cloudtrail.NewFromConfig(loaded)
	}
	panic("no such service: " + each.Service)
}

func try(each call) answer {
	method := reflect.ValueOf(findClient(each)).MethodByName(each.Operation)
	input := reflect.New(method.Type().In(1).Elem())
	if err := json.Unmarshal(each.Parameters, input.Interface()); err != nil {
		panic(err)
	}
	returned := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), input})
	if err, failed := returned[1].Interface().(error); failed {
		return describe(err)
	}
	return answer{Output: returned[0].Interface()}
}

func describe(err error) answer {
	var found smithy.APIError
	if !errors.As(err, &found) {
		panic(err) // is none of AWS
	}
	return answer{
		Code:    found.ErrorCode(),
		Message: found.ErrorMessage(),
		Types:   []string{fmt.Sprintf("%T", found)},
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var each call
		if err := json.Unmarshal(lines.Bytes(), &each); err != nil {
			panic(err)
		}
		printed, err := json.Marshal(try(each))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(printed))
	}
}
