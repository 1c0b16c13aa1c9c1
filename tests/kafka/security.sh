# shellcheck shell=bash
# What the single broker needs to refuse someone: certificates, users, the key that signs tokens. Sourced by `up`.

users=(owner writer reader stranger)

# certificate NAME SUBJECT ARGUMENT...: makes NAME-key.pem and NAME.pem in the current folder.
certificate() {
    local name=$1 subject=$2
    shift 2
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 30 -subj "/CN=$subject" \
        -keyout "$name-key.pem" -out "$name.pem" "$@" 2>openssl.log || {
        cat openssl.log >&2
        fail "openssl could not make the certificate \`$name\` (above); it has to be OpenSSL 3"
    }
}

# base64url: the standard input as RFC 7515 wants it.
base64url() {
    basenc --base64url --wrap=0 | tr --delete =
}

# make_security DIR: fills the folder; README.md says with what.
make_security() (
    mkdir -p "$1"
    cd "$1" || exit
    certificate ca "hop test authority"
    certificate unknown-ca "an authority that signed nothing"
    # For `localhost` alone: at 127.0.0.1 the broker is one whose name is wrong.
    certificate broker localhost -CA ca.pem -CAkey ca-key.pem -addext subjectAltName=DNS:localhost \
        -addext basicConstraints=critical,CA:FALSE
    certificate client hop-test-client -CA ca.pem -CAkey ca-key.pem -addext basicConstraints=critical,CA:FALSE
    # As Kafka wants it: key and certificate in one file.
    cat broker-key.pem broker.pem >broker-keystore.pem

    local user password
    for user in "${users[@]}"; do
        password=$(openssl rand -hex 16)
        printf '%s %s\n' "$user" "$password" >>passwords
        # Arguments come from files: everyone on the machine sees those of the command line.
        for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
            printf -- '--add-scram\n%s=[name=%s,password=%s]\n' "$mechanism" "$user" "$password" >>scram.arguments
        done
    done

    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out token-key.pem
    # As `hop_tests::token` names its keys: by what they are. 65537, which `genpkey` takes as the exponent, is AQAB.
    local modulus kid
    modulus=$(openssl rsa -in token-key.pem -noout -modulus)
    kid=$(basenc --base16 --decode <<<"${modulus#*=}" | openssl dgst -sha256 -binary | head --bytes=9 | base64url)
    modulus=$(basenc --base16 --decode <<<"${modulus#*=}" | base64url)
    printf '{"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "%s", "n": "%s", "e": "AQAB"}]}\n' \
        "$kid" "$modulus" >jwks.json
)

# security_properties DIR: prints the broker's settings that use what `make_security DIR` made.
security_properties() {
    local folder=$1 user password plain="org.apache.kafka.common.security.plain.PlainLoginModule required" listener
    while read -r user password; do
        plain+=" user_$user=\"$password\""
    done <"$folder/passwords"
    for listener in sasl_ssl mutual_tls sasl_plaintext; do
        printf 'listener.name.%s.plain.sasl.jaas.config=%s;\n' "$listener" "$plain"
    done
    cat <<EOF
ssl.keystore.location=$folder/broker-keystore.pem
ssl.truststore.location=$folder/ca.pem
listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url=file://$folder/jwks.json
EOF
}
