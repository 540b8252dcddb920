import com.nimbusds.jose.EncryptionMethod;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWEAlgorithm;
import com.nimbusds.jose.JWEHeader;
import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.RSAEncrypter;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.JSONObjectUtils;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.interfaces.ECPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Seals the example, publishes it, and asks what became of it. Run in the folder of the invitation. */
public class Quickstart {
    static final HttpClient HTTP = HttpClient.newHttpClient();
    static Map<String, Object> invite;

    /** Signs the payload, then encrypts it for the platform. */
    static String seal(byte[] payload, String messageId, String shipment) throws Exception {
        ECKey signingKey = signingKey();
        // The first is the newest. They change: <endpoint>/.well-known/jwks.json has those of now.
        RSAKey platformKey = JWKSet.load(Path.of("platform.jwks.json").toFile()).getKeys().get(0).toRSAKey();
        String carrier = (String) invite.get("carrier");
        String audience = (String) invite.get("audience");
        long now = Instant.now().getEpochSecond();
        // Both headers say it: so what was signed is what was encrypted. Events with the same `sub` keep their
        // order; it is not encrypted. `jti` is yours, and unique: the same once more is a duplicate.
        JWSObject signed = new JWSObject(
                new JWSHeader.Builder(JWSAlgorithm.ES256).keyID(signingKey.getKeyID())
                        .contentType((String) invite.get("media_type"))
                        .customParam("iss", carrier).customParam("aud", audience)
                        .customParam("sub", shipment).customParam("jti", messageId).customParam("iat", now)
                        .build(),
                new Payload(payload));
        signed.sign(new ECDSASigner(signingKey));
        JWEObject sealed = new JWEObject(
                new JWEHeader.Builder(JWEAlgorithm.RSA_OAEP_256, EncryptionMethod.A256GCM)
                        .keyID(platformKey.getKeyID())
                        .type(new JOSEObjectType("waybill+jwe")).contentType("application/jose")
                        .issuer(carrier).audience(List.of(audience)).subject(shipment)
                        .customParam("jti", messageId).customParam("iat", now)
                        .build(),
                new Payload(signed.serialize()));
        sealed.encrypt(new RSAEncrypter(platformKey));
        return sealed.serialize();
    }

    /** Named by its thumbprint (RFC 7638), as the platform names it. */
    static ECKey signingKey() throws Exception {
        KeyFactory factory = KeyFactory.getInstance("EC");
        var secret = factory.generatePrivate(new PKCS8EncodedKeySpec(pem("signing-key.pem")));
        var open = (ECPublicKey) factory.generatePublic(new X509EncodedKeySpec(pem("signing-key.pub.pem")));
        return new ECKey.Builder(Curve.P_256, open).privateKey(secret).keyIDFromThumbprint().build();
    }

    static byte[] pem(String file) throws Exception {
        String text = Files.readString(Path.of(file)).replaceAll("-----[A-Z ]+-----", "");
        return Base64.getMimeDecoder().decode(text);
    }

    /** An answer of the gateway, also where it says no. */
    static Map<String, Object> ask(String path, String name, String value, String body) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(invite.get("endpoint") + path)).header(name, value);
        if (body != null) request.POST(BodyPublishers.ofString(body));
        return JSONObjectUtils.parse(HTTP.send(request.build(), BodyHandlers.ofString()).body());
    }

    /** The result of the one message; what the gateway refuses ends the program. */
    static Map<String, Object> publish(String sealed) throws Exception {
        var answer = ask("/v1/events", "Content-Type", "application/jose", sealed);
        var results = JSONObjectUtils.getJSONObjectArray(answer, "results");
        if (results == null || !"accepted".equals(results[0].get("status"))) {
            throw new IllegalStateException("not accepted: " + answer);
        }
        return results[0];
    }

    /** What became of the message, once that is known. */
    static Map<String, Object> answerTo(Map<String, Object> result) throws Exception {
        String key = Files.readString(Path.of("api-key")).trim();
        String path = "/v1/events/" + result.get("id") + "?position=" + result.get("position");
        for (int asked = 0; asked < 120; asked++) {
            var answer = ask(path, "Authorization", "Bearer " + key, null);
            if (!"pending".equals(answer.get("status"))) return answer;
            Thread.sleep(500);
        }
        throw new IllegalStateException("no answer within a minute");
    }

    public static void main(String[] args) throws Exception {
        invite = JSONObjectUtils.parse(Files.readString(Path.of("waybill.json")));
        byte[] example = Files.readAllBytes(Path.of((String) invite.get("example")));
        String sealed = seal(example, UUID.randomUUID().toString(), "example-shipment");
        Files.writeString(Path.of("event.jose"), sealed);
        System.out.println(JSONObjectUtils.toJSONString(answerTo(publish(sealed))));
    }
}
