package io.quarry.agent.storage.directory;

import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.storage.Genesis;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.LogTooNewException;
import io.quarry.coordinator.plan.Feature;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The genesis record of a repository in a directory. */
final class GenesisFile {
  /** A genesis record has 300 bytes. */
  static final int BYTES_MAX = 64 << 10;

  /** Fields without which a genesis record cannot name or sign. */
  private static final List<String> FIELDS = List.of("key", "createdAt", "fixSecret");

  private static final int SECRET_BYTES = 32;

  private final String format;
  private final Folder root;

  /**
   * @param format the name of the format that the record has to have
   */
  GenesisFile(String format, Folder root) {
    this.format = format;
    this.root = root;
  }

  /** Null when the directory is no repository. */
  @Nullable Genesis read() throws IOException {
    byte[] found = root.read(Genesis.FILE, BYTES_MAX);
    return found == null ? null : parse(found);
  }

  /** A record that no repository has had. */
  Genesis fresh() {
    return new Genesis(
        format,
        Genesis.VERSION,
        UUID.randomUUID().toString(),
        Instant.now().truncatedTo(ChronoUnit.MILLIS),
        secret(),
        Feature.KNOWN,
        null,
        null);
  }

  /**
   * Several hosts may do this at once: the first link wins, and every host reads the winner's
   * record.
   */
  void create(Genesis genesis) throws IOException {
    publish(genesis, (temporary, written) -> root.link(Genesis.FILE, temporary, written));
  }

  /** Gives the repository a new key and a new secret. */
  void rekey() throws IOException {
    Genesis before = read();
    if (before == null) {
      throw new IOException("it has no " + Genesis.FILE);
    }
    // Replaces the record on purpose: the old key is the original's.
    publish(
        before.withKey(UUID.randomUUID().toString(), secret()),
        (temporary, written) -> root.rename(Genesis.FILE, temporary, written));
  }

  private interface Naming {
    void give(Folder temporary, String written) throws IOException;
  }

  private void publish(Genesis genesis, Naming naming) throws IOException {
    String written = "genesis." + UUID.randomUUID();
    try (Folder temporary = root.folder(DirectoryConnection.TEMPORARY)) {
      try (NativeFile file = temporary.createNew(written, FileModes.SECRET)) {
        file.write(0, Json.MAPPER.writeValueAsBytes(genesis));
        file.sync();
        naming.give(temporary, written);
      } catch (FileFailure.Exists e) {
        return;
      } finally {
        temporary.remove(written);
      }
    }
    root.force();
  }

  private static String secret() {
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    return HexFormat.of().formatHex(secret);
  }

  private Genesis parse(byte[] bytes) throws IOException {
    Path file = root.path(Genesis.FILE);
    try {
      var json = Json.MAPPER.readTree(bytes);
      int version = json.path("version").asInt();
      String found = json.path("format").asText();
      if (!found.equals(format)) {
        throw DirectoryConnection.unusable(
            root.path(),
            root.path() + " holds a repository of format " + found,
            "connect it as " + found);
      }
      if (version < Genesis.OLDEST_VERSION || version > Genesis.VERSION) {
        throw new StorageException(
            ErrorCode.AGENT_TOO_OLD,
            root.path()
                + " has layout version "
                + version
                + ", this agent knows "
                + Genesis.VERSION,
            root.path().toString(),
            "upgrade this agent");
      }
      for (String field : FIELDS) {
        if (!json.path(field).isTextual()) {
          throw DirectoryConnection.unusable(
              root.path(),
              file + " is not a whole genesis record: it has no " + field,
              "restore that file; without it the repository has no name");
        }
      }
      Genesis genesis = Json.MAPPER.treeToValue(json, Genesis.class);
      List<Feature> missing =
          genesis.features().stream().filter(feature -> !feature.understood()).toList();
      if (!missing.isEmpty()) {
        throw new LogTooNewException(file.toString(), missing).refusal();
      }
      return genesis;
    } catch (com.fasterxml.jackson.core.JacksonException e) {
      throw DirectoryConnection.unusable(
          root.path(),
          file + " cannot be read as a genesis record: " + e.getOriginalMessage(),
          "restore that file; without it the repository has no name");
    }
  }
}
