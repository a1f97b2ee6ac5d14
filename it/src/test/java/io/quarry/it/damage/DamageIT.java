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
import java.util.List;
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
  private static final String DAMAGED = "damaged";
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
    WHOLE_LOG
  }

  private enum Harm {
    FLIPPED_BIT,
    TRUNCATED,
    DELETED
  }

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
      box.connect(DAMAGED);
      box.connect(SOUND);
      StorageClient client = box.client(0);
      List<String> disks = new ArrayList<>();
      for (int disk = 0; disk < DISKS; disk++) {
        CreatedImage created = Box.disk(client, DAMAGED, SIZE);
        Box.awaitOptimized(client, DAMAGED, created.imageId());
        disks.add(created.imageId());
      }
      Path first = box.repository(DAMAGED).resolve("log").resolve("0000000000000001.record");
      await().atMost(Box.PATIENCE).until(() -> Files.notExists(first));
      for (Victim victim : Victim.values()) {
        for (Harm harm : Harm.values()) {
          disks.add(damageAndRestore(box, victim, harm, disks));
        }
      }
    }
  }

  private static String damageAndRestore(Box box, Victim victim, Harm harm, List<String> disks)
      throws Exception {
    String which = victim + " " + harm;
    StorageClient client = box.client(0);
    stopWithRecordsBeyondTheCheckpoint(box);
    List<Path> files = files(box, victim);
    Path file = files.getFirst();
    List<byte[]> originals = new ArrayList<>();
    for (Path each : files) {
      originals.add(Files.readAllBytes(each));
      harm(each, originals.getLast(), harm);
    }
    // A write that was torn before publication: no reader uses this file.
    Files.write(
        box.repository(DAMAGED).resolve("tmp").resolve("torn." + which.replace(' ', '.')),
        Arrays.copyOf(originals.getFirst(), originals.getFirst().length / 3));
    box.host(0).start();
    box.host(0).awaitReady(Box.PATIENCE);

    if (victim == Victim.NEWEST_CHECKPOINT) {
      disks.add(assertSound(box, which, disks));
    } else {
      assertDamaged(box, which, named(file, victim, harm));
    }
    CreatedImage elsewhere = Box.disk(client, SOUND, SIZE);
    Box.awaitOptimized(client, SOUND, elsewhere.imageId());
    assertThat(client.getStorageRepository(SOUND).health()).isEqualTo("ok");

    client.disconnectStorageRepository(DAMAGED);
    for (int i = 0; i < files.size(); i++) {
      Files.write(files.get(i), originals.get(i));
    }
    box.connect(DAMAGED);
    return assertSound(box, which, disks);
  }

  /**
   * Some records must follow the newest checkpoint. A checkpoint may be under way while the records
   * are counted. So the count is repeated when no process runs any more.
   */
  private static void stopWithRecordsBeyondTheCheckpoint(Box box) throws Exception {
    while (true) {
      while (beyondCheckpoint(box).size() < RECORDS_BEYOND) {
        Box.awaitOptimized(
            box.client(0), DAMAGED, Box.disk(box.client(0), DAMAGED, SIZE).imageId());
      }
      box.host(0).shutDown();
      if (beyondCheckpoint(box).size() >= RECORDS_BEYOND) {
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

  private static void assertDamaged(Box box, String which, String named) {
    StorageClient client = box.client(0);
    RepositoryInfo info = client.getStorageRepository(DAMAGED);
    assertThat(info.health()).as(which).isEqualTo("damaged");
    assertThat(info.healthReason()).as(which).contains(named);
    StorageException refusal =
        catchThrowableOfType(StorageException.class, () -> Box.disk(client, DAMAGED, SIZE));
    assertThat(refusal).as(which).isNotNull();
    assertThat(refusal.code()).as(which).isEqualTo(ErrorCode.REPOSITORY_DAMAGED);
    assertThat(refusal.code().httpStatus()).isEqualTo(422);
    assertThat(refusal.subject()).as(which).startsWith(named);
    assertThat(refusal.remedy()).isNotBlank();
  }

  private static String assertSound(Box box, String which, List<String> disks) {
    StorageClient client = box.client(0);
    assertThat(client.getStorageRepository(DAMAGED).health()).as(which).isEqualTo("ok");
    for (String disk : disks) {
      assertThat(client.getImage(DAMAGED, disk, 0).size()).isEqualTo(SIZE);
    }
    CreatedImage created = Box.disk(client, DAMAGED, SIZE);
    Box.awaitOptimized(client, DAMAGED, created.imageId());
    return created.imageId();
  }

  private static List<String> beyondCheckpoint(Box box) throws IOException {
    String checkpoint = number(ending(box, ".checkpoint").getLast());
    return ending(box, ".record").stream()
        .filter(record -> number(record).compareTo(checkpoint) > 0)
        .toList();
  }

  private static List<Path> files(Box box, Victim victim) throws IOException {
    Path log = box.repository(DAMAGED).resolve("log");
    List<String> checkpoints = ending(box, ".checkpoint").reversed();
    List<String> beyond = beyondCheckpoint(box);
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

  private static List<String> ending(Box box, String suffix) throws IOException {
    return Box.names(box.repository(DAMAGED).resolve("log")).stream()
        .filter(name -> name.endsWith(suffix))
        .toList();
  }
}
