package io.quarry.it.damage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.CreatedImage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.RepositoryInfo;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Agents never trust a log that lost or changed a file, and never take the log for shorter than it
 * is. If readers skipped the checksums, a flipped bit would be blamed on the record after it.
 */
@Timeout(300)
final class DamageIT {
  private static final String SOUND = "sound";
  private static final long SIZE = 1 << 20;
  private static final int DISKS = 25;
  private static final int CHECKPOINT_RECORDS = 20;
  private static final int RECORDS_BEYOND = 4;

  private enum Victim {
    MIDDLE_RECORD,
    LAST_RECORD,
    NEWEST_CHECKPOINT,
    CHECKPOINTS,
    WHOLE_LOG;

    /** Each place has a repository of its own. */
    String repoId() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private enum Harm {
    FLIPPED_BIT,
    TRUNCATED,
    DELETED
  }

  private final Map<Victim, List<String>> disks = new EnumMap<>(Victim.class);

  @Test
  void damagedLogIsReadOnlyUntilItIsRestored(@TempDir Path directory) throws Exception {
    try (Box box =
        Box.start(
            LocalClusterOptions.in(directory)
                .withJavaOptions(
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Dquarry.checkpoint.records=" + CHECKPOINT_RECORDS))) {
      box.connect(SOUND);
      for (Victim victim : Victim.values()) {
        fill(box, victim);
      }
      for (Harm harm : Harm.values()) {
        damageAndRestore(box, harm);
      }
    }
  }

  /** Makes disks until the log has freed its first record. */
  private void fill(Box box, Victim victim) throws Exception {
    box.connect(victim.repoId());
    for (int disk = 0; disk < DISKS; disk++) {
      addDisk(box, victim);
    }
    Path log = box.repository(victim.repoId()).resolve("log");
    await()
        .atMost(Box.PATIENCE)
        .until(() -> Files.notExists(log.resolve("0000000000000001.record")));
  }

  private void addDisk(Box box, Victim victim) {
    String disk = Box.disk(box.client(0), victim.repoId(), SIZE).imageId();
    Box.awaitOptimized(box.client(0), victim.repoId(), disk);
    disks.computeIfAbsent(victim, _ -> new ArrayList<>()).add(disk);
  }

  /** Damages all repositories at once, each at another place. */
  private void damageAndRestore(Box box, Harm harm) throws Exception {
    StorageClient client = box.client(0);
    stopWithRecordsBeyondTheCheckpoints(box);
    Map<Victim, Map<Path, byte[]>> originals = new EnumMap<>(Victim.class);
    for (Victim victim : Victim.values()) {
      originals.put(victim, damage(box, victim, harm));
    }
    box.host(0).start();
    box.host(0).awaitReady(Box.PATIENCE);

    for (Victim victim : Victim.values()) {
      if (victim == Victim.NEWEST_CHECKPOINT) {
        assertSound(box, victim, harm);
      } else {
        Path first = of(originals, victim).keySet().iterator().next();
        assertDamaged(client, victim, harm, named(first, victim, harm));
      }
    }
    CreatedImage elsewhere = Box.disk(client, SOUND, SIZE);
    Box.awaitOptimized(client, SOUND, elsewhere.imageId());
    assertThat(client.getStorageRepository(SOUND).health()).isEqualTo("ok");

    for (Victim victim : Victim.values()) {
      client.disconnectStorageRepository(victim.repoId());
      for (Map.Entry<Path, byte[]> original : of(originals, victim).entrySet()) {
        Files.write(original.getKey(), original.getValue());
      }
      box.connect(victim.repoId());
      assertSound(box, victim, harm);
    }
  }

  private static <T> T of(Map<Victim, T> all, Victim victim) {
    return Objects.requireNonNull(all.get(victim));
  }

  /** Returns what the files held. */
  private static Map<Path, byte[]> damage(Box box, Victim victim, Harm harm) throws IOException {
    Map<Path, byte[]> originals = new LinkedHashMap<>();
    for (Path each : files(box, victim)) {
      byte[] original = Files.readAllBytes(each);
      originals.put(each, original);
      harm(each, original, harm);
    }
    // A write that was torn before publication: no reader uses this file.
    byte[] some = originals.values().iterator().next();
    Files.write(
        box.repository(victim.repoId()).resolve("tmp").resolve("torn." + harm),
        Arrays.copyOf(some, some.length / 3));
    return originals;
  }

  /**
   * Some records must follow the newest checkpoint. A checkpoint may be under way while the records
   * are counted. So the count is repeated when no process runs any more.
   */
  private void stopWithRecordsBeyondTheCheckpoints(Box box) throws Exception {
    while (true) {
      for (Victim victim : Victim.values()) {
        while (beyondCheckpoint(box, victim).size() < RECORDS_BEYOND) {
          addDisk(box, victim);
        }
      }
      box.host(0).shutDown();
      boolean enough = true;
      for (Victim victim : Victim.values()) {
        enough &= beyondCheckpoint(box, victim).size() >= RECORDS_BEYOND;
      }
      if (enough) {
        return;
      }
      box.host(0).start();
      box.host(0).awaitReady(Box.PATIENCE);
    }
  }

  /** For a file that is missing before any record, the error can name the loss but not the file. */
  private static String named(Path file, Victim victim, Harm harm) {
    boolean nameless = harm == Harm.DELETED && victim.compareTo(Victim.CHECKPOINTS) >= 0;
    return String.valueOf(nameless ? file.getParent() : file);
  }

  private static void assertDamaged(StorageClient client, Victim victim, Harm harm, String named) {
    String which = victim + " " + harm;
    RepositoryInfo info = client.getStorageRepository(victim.repoId());
    assertThat(info.health()).as(which).isEqualTo("damaged");
    assertThat(info.healthReason()).as(which).contains(named);
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> Box.disk(client, victim.repoId(), SIZE));
    assertThat(refusal).as(which).isNotNull();
    assertThat(refusal.code()).as(which).isEqualTo(ErrorCode.REPOSITORY_DAMAGED);
    assertThat(refusal.code().httpStatus()).isEqualTo(422);
    assertThat(refusal.subject()).as(which).startsWith(named);
    assertThat(refusal.remedy()).isNotBlank();
  }

  private void assertSound(Box box, Victim victim, Harm harm) {
    StorageClient client = box.client(0);
    assertThat(client.getStorageRepository(victim.repoId()).health())
        .as("%s %s", victim, harm)
        .isEqualTo("ok");
    for (String disk : of(disks, victim)) {
      assertThat(client.getImage(victim.repoId(), disk, 0).size()).isEqualTo(SIZE);
    }
    addDisk(box, victim);
  }

  private static List<String> beyondCheckpoint(Box box, Victim victim) throws IOException {
    String checkpoint = number(ending(box, victim, ".checkpoint").getLast());
    return ending(box, victim, ".record").stream()
        .filter(record -> number(record).compareTo(checkpoint) > 0)
        .toList();
  }

  private static List<Path> files(Box box, Victim victim) throws IOException {
    Path log = box.repository(victim.repoId()).resolve("log");
    List<String> checkpoints = ending(box, victim, ".checkpoint").reversed();
    List<String> beyond = beyondCheckpoint(box, victim);
    assertThat(beyond).hasSizeGreaterThan(2);
    assertThat(checkpoints).hasSizeGreaterThan(1);
    List<String> names =
        switch (victim) {
          case MIDDLE_RECORD -> List.of(beyond.get(beyond.size() / 2));
          case LAST_RECORD -> List.of(beyond.getLast());
          case NEWEST_CHECKPOINT -> List.of(checkpoints.getFirst());
          case CHECKPOINTS -> checkpoints;
          case WHOLE_LOG ->
              Stream.concat(checkpoints.stream(), Box.names(log).stream()).distinct().toList();
        };
    return names.stream().map(log::resolve).toList();
  }

  private static String number(String name) {
    return name.substring(0, name.indexOf('.'));
  }

  private static void harm(Path file, byte[] original, Harm harm) throws IOException {
    switch (harm) {
      case FLIPPED_BIT -> {
        byte[] changed = original.clone();
        changed[changed.length / 2] ^= 4;
        Files.write(file, changed);
      }
      case TRUNCATED -> Files.write(file, Arrays.copyOf(original, original.length * 2 / 3));
      case DELETED -> Files.delete(file);
    }
  }

  private static List<String> ending(Box box, Victim victim, String suffix) throws IOException {
    return Box.names(box.repository(victim.repoId()).resolve("log")).stream()
        .filter(name -> name.endsWith(suffix))
        .toList();
  }
}
