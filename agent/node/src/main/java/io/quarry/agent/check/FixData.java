package io.quarry.agent.check;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.agent.storage.Genesis;
import io.quarry.common.api.Fix;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.FixType;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The opaque data of a fix: what an agent needs to run the fix. The data is signed together with
 * what callers are shown. So any agent of the repository can detect a fix that a caller has
 * changed.
 *
 * @param orphanFile set when the fix is about a file that no volume names
 */
record FixData(String fixId, @Nullable String orphanFile, String signature) {
  private static final String ALGORITHM = "HmacSHA256";

  /** The fix for callers, with its data in place. */
  static Fix sign(Fix unsigned, String fixId, @Nullable String orphanFile, Genesis genesis) {
    FixData data = new FixData(fixId, orphanFile, signature(unsigned, fixId, orphanFile, genesis));
    String text = Base64.getUrlEncoder().withoutPadding().encodeToString(write(data));
    return new Fix(
        unsigned.type(),
        unsigned.imageId(),
        unsigned.reason(),
        unsigned.bytesToMove(),
        unsigned.bytesToGain(),
        unsigned.priority(),
        unsigned.state(),
        unsigned.lastError(),
        text);
  }

  /** The data of a fix, if an agent of this repository has signed the fix. */
  static FixData verify(Fix fix, Genesis genesis) {
    FixData data;
    try {
      data = Json.MAPPER.readValue(Base64.getUrlDecoder().decode(fix.data()), FixData.class);
    } catch (IllegalArgumentException | java.io.IOException e) {
      throw forged();
    }
    if (data == null || data.fixId() == null || data.signature() == null) {
      throw forged();
    }
    byte[] expected =
        signature(fix, data.fixId(), data.orphanFile(), genesis)
            .getBytes(StandardCharsets.US_ASCII);
    if (!MessageDigest.isEqual(expected, data.signature().getBytes(StandardCharsets.US_ASCII))) {
      throw forged();
    }
    return data;
  }

  private static StorageException forged() {
    return StorageException.invalid(
        "fix", "the fix is not as this repository's check gave it", "send it exactly as received");
  }

  private record Signed(
      FixType type,
      @Nullable String imageId,
      String reason,
      long bytesToMove,
      long bytesToGain,
      int priority,
      String state,
      @Nullable String lastError,
      String fixId,
      @Nullable String orphanFile,
      String repository) {}

  private static String signature(
      Fix fix, String fixId, @Nullable String orphanFile, Genesis genesis) {
    byte[] text =
        write(
            new Signed(
                fix.type(),
                fix.imageId(),
                fix.reason(),
                fix.bytesToMove(),
                fix.bytesToGain(),
                fix.priority(),
                fix.state(),
                fix.lastError(),
                fixId,
                orphanFile,
                genesis.key()));
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(
          new SecretKeySpec(genesis.fixSecret().getBytes(StandardCharsets.US_ASCII), ALGORITHM));
      return Base64.getUrlEncoder().withoutPadding().encodeToString(mac.doFinal(text));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + ALGORITHM, e);
    }
  }

  private static byte[] write(Object value) {
    try {
      return Json.MAPPER.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a fix cannot be written as JSON", e);
    }
  }
}
