package io.quarry.agent.storage;

import com.fasterxml.jackson.core.JacksonException;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogTooNewException;
import io.quarry.coordinator.plan.Feature;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;

/** Genesis records as bytes, and new ones. */
public final class GenesisCodec {
  /** Fields without which a genesis record cannot name or sign. */
  private static final List<String> FIELDS = List.of("key", "createdAt", "fixSecret");

  private static final int SECRET_BYTES = 32;

  private GenesisCodec() {}

  /** A record that no repository has had. */
  public static Genesis fresh(String format) {
    return new Genesis(
        format,
        Genesis.VERSION,
        freshKey(),
        Instant.now().truncatedTo(ChronoUnit.MILLIS),
        freshSecret(),
        Feature.KNOWN,
        null,
        null,
        null);
  }

  /** The same repository under a key and with a secret that no repository has had. */
  public static Genesis rekeyed(Genesis genesis) {
    return genesis.withKey(freshKey(), freshSecret());
  }

  private static String freshKey() {
    return UUID.randomUUID().toString();
  }

  private static String freshSecret() {
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    return HexFormat.of().formatHex(secret);
  }

  public static byte[] encode(Genesis genesis) throws IOException {
    return Json.MAPPER.writeValueAsBytes(genesis);
  }

  /**
   * Refuses records that this program does not understand.
   *
   * @param format that the record has to name
   * @param place of the repository, for messages
   * @param file that holds the record, for messages
   */
  public static Genesis decode(byte[] bytes, String format, String place, String file)
      throws IOException {
    try {
      var json = Json.MAPPER.readTree(bytes);
      String found = json.path("format").asText();
      if (!found.equals(format)) {
        throw unusable(
            place, place + " holds a repository of format " + found, "connect it as " + found);
      }
      int version = json.path("version").asInt();
      if (version < Genesis.OLDEST_VERSION || version > Genesis.VERSION) {
        throw new StorageException(
            ErrorCode.AGENT_TOO_OLD,
            place + " has layout version " + version + ", this agent knows " + Genesis.VERSION,
            place,
            "upgrade this agent");
      }
      for (String field : FIELDS) {
        if (!json.path(field).isTextual()) {
          throw damaged(place, file, file + " is not a whole genesis record: it has no " + field);
        }
      }
      Genesis genesis = Json.MAPPER.treeToValue(json, Genesis.class);
      List<Feature> missing =
          genesis.features().stream().filter(feature -> !feature.understood()).toList();
      if (!missing.isEmpty()) {
        throw new LogTooNewException(file, missing).refusal();
      }
      return genesis;
    } catch (JacksonException e) {
      throw damaged(
          place, file, file + " cannot be read as a genesis record: " + e.getOriginalMessage());
    }
  }

  private static StorageException damaged(String place, String file, String message) {
    return unusable(
        place, message, "restore " + file + "; without that record the repository has no name");
  }

  private static StorageException unusable(String place, String message, String remedy) {
    return new StorageException(ErrorCode.REPOSITORY_UNUSABLE, message, place, remedy);
  }
}
