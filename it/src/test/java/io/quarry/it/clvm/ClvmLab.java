package io.quarry.it.clvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.it.vm.GuestJava;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabVm;
import io.quarry.it.vm.SharedDisk;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

/** Two hosts share a volume group of a real LVM, without a lock manager of LVM. */
@Timeout(1800)
final class ClvmLab {
  private static final long DISK_BYTES = 2L << 30;
  private static final long MIB = 1L << 20;
  private static final int COMMITS = 20;
  private static final String STATE = "/run/state";
  private static final String PARAMETERS = "vg=storage";

  private Path image = Path.of("");
  private Path directory = Path.of("");

  @BeforeEach
  void makeDisk(TestInfo test) throws Exception {
    directory = Lab.emptyDirectory(test);
    image = directory.resolve("shared.raw");
    try (RandomAccessFile made = new RandomAccessFile(image.toFile(), "rw")) {
      made.setLength(DISK_BYTES);
    }
  }

  @AfterEach
  void removeDisk() throws IOException {
    Files.deleteIfExists(image);
  }

  @Test
  void hostsShareARepositoryAndWriteNoMetadataOfLvm() throws Exception {
    try (SharedDisk disk = SharedDisk.ofFile(directory, image)) {
      LabVm a = disk.hosts().getFirst();
      LabVm b = disk.hosts().getLast();
      a.run(
          """
          modprobe dm-mod
          export DM_DISABLE_UDEV=1
          vgcreate -qq storage %s
          lvcreate -qq -L 1400M -n quarry-meta storage
          lvcreate -qq -L 256M -n quarry-data storage
          lvchange -an storage
          """
              .formatted(SharedDisk.DEVICE));
      b.run("modprobe dm-mod");
      String metadata = metadata(a);
      GuestJava made = run(a, "create");
      GuestJava found = run(b, "connect");
      assertThat(a.run("lvs --noheadings -o lv_active storage").lines())
          .allMatch(line -> line.contains("active"));
      for (String what : List.of("GENESIS", "KEY", "DATA")) {
        assertThat(made.lines(what)).as(what).hasSize(1).isEqualTo(found.lines(what));
      }
      assertThat(made.lines("DATA")).containsExactly("storage/quarry-data " + 256 * MIB);
      bothCommit(a, b);
      assertThat(metadata(a)).isEqualTo(metadata);
      assertThat(metadata(b)).isEqualTo(metadata);

      a.run("lvextend -qq -L +64M storage/quarry-data");
      String extended = metadata(a);
      assertThat(extended).isNotEqualTo(metadata);
      GuestJava grown = run(b, "grow");
      assertThat(grown.lines("BEFORE")).containsExactly(Long.toString(256 * MIB));
      assertThat(grown.lines("AFTER")).containsExactly(Long.toString(320 * MIB));
      assertThat(metadata(b)).isEqualTo(extended);
    }
  }

  private static void bothCommit(LabVm a, LabVm b) throws Exception {
    List<GuestJava> running =
        List.of(start(a, "commit", "" + COMMITS), start(b, "commit", "" + COMMITS));
    List<String> slots = new ArrayList<>();
    List<String> acknowledged = new ArrayList<>();
    for (GuestJava each : running) {
      each.awaitSuccess();
      slots.addAll(each.lines("SLOT"));
      acknowledged.addAll(each.lines("ACKNOWLEDGED"));
    }
    assertThat(slots).hasSize(2).doesNotHaveDuplicates();
    assertThat(acknowledged).hasSize(2 * COMMITS);
    GuestJava judge = start(b, "judge", String.join(",", acknowledged));
    judge.awaitSuccess();
    assertThat(judge.lines("VERDICT")).containsExactly("true");
    // The next connection has the slot at once.
    assertThat(run(b, "connect").lines("SLOT")).containsExactly(slots.getLast());
  }

  private static GuestJava start(LabVm host, String action, String... more) throws Exception {
    return host.java(
        ClvmHost.class,
        Stream.concat(Stream.of(host.name(), STATE, action, PARAMETERS), Stream.of(more))
            .toArray(String[]::new));
  }

  private static GuestJava run(LabVm host, String action) throws Exception {
    GuestJava started = start(host, action);
    started.awaitSuccess();
    return started;
  }

  /** LVM counts each change of the metadata. */
  private static String metadata(LabVm host) throws Exception {
    return host.run("vgs --noheadings -o vg_seqno,vg_mda_count storage").strip();
  }

  @Test
  void volumesThatCannotBeUsedAreRefused() throws Exception {
    try (SharedDisk disk = SharedDisk.ofFile(directory, image)) {
      GuestJava drill = disk.hosts().getFirst().java(RefusalDrill.class, "/run/drill");
      drill.awaitSuccess();
      assertRefused(drill, "NO-LVM", "spare/meta", "this host has no lvm2");
      assertRefused(drill, "NO-RIGHT", "spare", "may not use the device mapper");
      assertRefused(drill, "NO-GROUP", "nowhere", "this host has no volume group nowhere");
      assertRefused(drill, "NO-META", "spare/none", "has no logical volume none");
      assertRefused(drill, "NO-DATA", "spare/none", "has no logical volume none");
      assertRefused(drill, "EXPORTED", "spare/meta", "cannot be activated", "exported");
      assertRefused(drill, "SKIPPED", "spare/data", "reports success, and the kernel has no");
      assertRefused(drill, "SMALL", "spare/small", "67108864 bytes, which is too small");
      assertRefused(drill, "NO-LOGICAL-VOLUME", "spare/fake", "spare-fake", "no logical volume");
      assertRefused(drill, "SNAPSHOT", "spare/data", "snapshot-origin", "only one host");
      assertRefused(drill, "READ-ONLY", "spare/data", "the device is read-only");
      assertRefused(drill, "NO-REPOSITORY", "spare/meta", "holds no repository");
      assertRefused(drill, "FILESYSTEM", "spare/meta", "not empty", "the signature of ext4");
      assertRefused(drill, "SWAP", "spare/data", "not empty", "the signature of swap");
      assertThat(drill.lines("BEGINNINGS")).containsExactly("true");
      assertThat(drill.lines("CREATED")).singleElement().asString().startsWith("connected ");
      for (String again : List.of("FOUND", "FOUND-BY-CREATE")) {
        assertThat(drill.lines(again)).as(again).isEqualTo(drill.lines("CREATED"));
      }
      assertRefused(drill, "OTHER-DATA", "spare/small", "does not hold the volumes of the log");
      assertThat(drill.lines("OTHER-OWNER"))
          .singleElement()
          .asString()
          .startsWith("INVALID_ARGUMENT | connectionParameters.owner")
          .contains("created with owner 107, not 5");
      assertThat(drill.lines("OWNERS")).containsExactly("107 108");
      assertThat(drill.lines("SAME-STATE-DIRECTORY"))
          .singleElement()
          .asString()
          .startsWith("REPOSITORY_IN_USE | ");
      assertThat(drill.lines("SECTORS-OF-4096"))
          .singleElement()
          .asString()
          .startsWith("connected ");
      assertThat(drill.lines("SECTOR-BYTES")).containsExactly("4096");
      assertThat(drill.lines("WROTE-METADATA")).isEmpty();
      assertThat(drill.lines("LEFT-OPEN")).isEmpty();
    }
  }

  private static void assertRefused(GuestJava drill, String what, String subject, String... why)
      throws Exception {
    assertThat(drill.lines(what))
        .as(what)
        .singleElement()
        .asString()
        .startsWith("REPOSITORY_UNUSABLE | " + subject + " | ")
        .contains(why);
  }
}
