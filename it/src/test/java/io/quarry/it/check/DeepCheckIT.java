package io.quarry.it.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Problem;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.QemuGuest;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A deep check reads everything, a part per call, and leaves out images that are in use. A check
 * that is not deep finds none of these problems.
 */
@Timeout(300)
final class DeepCheckIT {
  private static final long MIB = 1L << 20;

  @TempDir static Path directory;

  private static Box box;

  private String repoId;

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory);
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void makeRepository() throws Exception {
    repoId = box.newRepository();
  }

  @Test
  void damageInsideFilesIsFoundAndWhatIsInUseIsLeftOut() throws Exception {
    StorageClient client = box.client(0);
    String disk = Copying.source(client, repoId, 1, MIB);
    String snapshot = Box.snapshot(client, repoId, disk).imageId();
    Box.awaitOptimized(client, repoId, disk);
    QemuGuest.use(client, repoId, disk, "write -P 9 0 4M", "write -P 8 64M 1M");
    String busy = Copying.source(client, repoId, 1, MIB);
    assertThat(deep(client).problems()).isEmpty();

    Path overlay = Path.of(QemuGuest.look(client, repoId, disk).path());
    Path raw = Path.of(QemuGuest.look(client, repoId, snapshot).path());
    OpenedImage vm = client.openImage(repoId, busy, new OpenRequest(false, "vm-7"), null);
    spoil(overlay);
    try (RandomAccessFile file = new RandomAccessFile(raw.toFile(), "rw")) {
      file.setLength(file.length() + 1);
    }
    // Even without reading its content, check sees that a frozen file has another size.
    assertThat(client.checkStorageRepository(repoId, CheckOptions.DEFAULT).problems())
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.CHANGED_VOLUME);
          assertThat(problem.imageId()).isEqualTo(snapshot);
        });
    assertThat(deep(box.client(1)).problems())
        .satisfiesExactlyInAnyOrder(
            problem -> {
              assertThat(problem.kind()).isEqualTo(Problem.Kind.CHANGED_VOLUME);
              assertThat(problem.imageId()).isEqualTo(snapshot);
            },
            problem -> {
              assertThat(problem.kind()).isEqualTo(Problem.Kind.DAMAGED_VOLUME);
              assertThat(problem.imageId()).isEqualTo(disk);
              assertThat(problem.subject()).isEqualTo(String.valueOf(overlay.getFileName()));
              assertThat(problem.reason()).contains("qemu-img check");
            },
            problem -> {
              assertThat(problem.kind()).isEqualTo(Problem.Kind.DAMAGED_VOLUME);
              assertThat(problem.imageId()).isEqualTo(snapshot);
              assertThat(problem.reason()).contains("134217729 bytes, more than its 134217728");
            },
            problem -> {
              assertThat(problem.kind()).isEqualTo(Problem.Kind.NOT_READ);
              assertThat(problem.imageId()).isEqualTo(busy);
              assertThat(problem.reason()).contains("in use: vm-7 writes to it on");
            });
    client.closeImage(repoId, busy, vm.openId(), null);
  }

  /** The throttle of copies also limits a deep check, so that 15 MiB take more than one part. */
  @Test
  void aLongCheckComesInPartsOfWhichAnyAgentDoesTheNext() throws Exception {
    String disk = Copying.source(box.client(0), repoId, 1, 12 * MIB);
    String other = Copying.source(box.client(0), repoId, 1, 3 * MIB);
    box.hostIds().forEach(host -> box.client(host).setThrottle(MIB));
    List<CheckReport> parts = new ArrayList<>();
    String next = null;
    do {
      StorageClient client = box.client(parts.size() % 2);
      parts.add(client.checkStorageRepository(repoId, new CheckOptions(true, next, 0)));
      next = parts.getLast().next();
    } while (next != null);
    // The number of parts depends on the machine's speed.
    assertThat(parts).hasSizeGreaterThan(1);
    assertThat(parts).allSatisfy(part -> assertThat(part.problems()).isEmpty());
    assertThat(parts.getFirst().reading())
        .satisfies(reading -> assertThat(Objects.requireNonNull(reading).bytesDone()).isPositive());
    assertThat(parts.getLast().reading())
        .satisfies(reading -> {
          assertThat(Objects.requireNonNull(reading).bytesTotal()).isGreaterThanOrEqualTo(15 * MIB);
          assertThat(reading.bytesDone()).isEqualTo(reading.bytesTotal());
        });
    assertThat(List.of(disk, other)).doesNotHaveDuplicates();
    assertThatThrownBy(
            () -> box.client(0).checkStorageRepository(repoId, new CheckOptions(true, "../x", 0)))
        .hasMessageContaining("cannot go on after ../x");
    box.hostIds().forEach(host -> box.client(host).setThrottle(0));
  }

  private CheckReport deep(StorageClient client) {
    CheckReport report = client.checkStorageRepository(repoId, new CheckOptions(true, null, 0));
    while (report.next() != null) {
      report =
          report.and(
              client.checkStorageRepository(repoId, new CheckOptions(true, report.next(), 0)));
    }
    return report;
  }

  /** Damages all bytes behind the header: the tables that locate the data. */
  private static void spoil(Path qcow2) throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(qcow2.toFile(), "rw")) {
      byte[] noise = new byte[(int) Math.min(file.length() - 65_536, 262_144)];
      Arrays.fill(noise, (byte) 0x5a);
      file.seek(65_536);
      file.write(noise);
    }
  }
}
