package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.HeldFile;
import io.quarry.common.api.Problem;
import io.quarry.common.model.ImageState;
import io.quarry.coordinator.fault.FaultPoints;
import io.quarry.coordinator.plan.AdoptGrowth;
import io.quarry.coordinator.plan.BeginMergeInPlace;
import io.quarry.coordinator.plan.BeginUpload;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.CreateSnapshot;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.OpenImage;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 20.1: the mode and the witness of each volume's file, after each step of a small story. */
final class FrozenVolumesTest {
  private static final String WRITABLE = "rw-rw----";
  private static final String FROZEN = "r--r-----";
  private static final long GROWN = 2 * FrozenStory.SIZE;

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private FrozenStory story;

  @BeforeEach
  void begin() throws Exception {
    story = new FrozenStory(directory);
  }

  @AfterEach
  void end() throws Exception {
    FaultPoints.observe(null);
    story.close();
  }

  @Test
  void fileOfASnapshotIsFrozenAndTheDisksFileIsWritable() throws Exception {
    story.disk("disk");
    assertThat(story.mode("disk")).isEqualTo(WRITABLE);
    story.write("disk", "write -P 1 0 64k");
    story.snapshot("snapshot", "disk", "overlay");
    assertThat(story.mode("snapshot")).isEqualTo(FROZEN);
    assertThat(story.mode("disk")).isEqualTo(WRITABLE);
  }

  @Test
  void volumeMergedIntoASnapshotIsFrozen() throws Exception {
    story.disk("disk");
    story.snapshot("first", "disk", "one");
    story.write("disk", "write -P 1 0 64k");
    story.snapshot("second", "disk", "two");
    story.commit(new RemoveImage("first", true, Duration.ZERO, false));
    story.runAll();
    assertThat(story.mode("second")).isEqualTo(FROZEN);
    assertThat(story.mode("disk")).isEqualTo(WRITABLE);
  }

  /** R6: the base is writable while the merge writes, and frozen again when the merge leaves it. */
  @Test
  void mergeInPlaceThawsTheBaseAndLeavesItFrozen() throws Exception {
    story.disk("disk");
    story.write("disk", "write -P 1 0 1M");
    story.snapshot("snapshot", "disk", "overlay");
    story.write("disk", "write -P 2 0 64k");
    Path base = story.top("snapshot");
    List<String> modes = new ArrayList<>();
    FaultPoints.observe(place -> {
      if (place.equals("merge.publish")) {
        modes.add(FrozenStory.modeOf(base));
        throw new IllegalStateException("the worker cannot go on");
      }
    });
    story.commit(new RemoveImage("snapshot", true, Duration.ZERO, false));
    assertThat(story.run(Objects.requireNonNull(story.next()))).isEqualTo(FixExecution.End.FAILED);
    assertThat(modes).containsExactly(WRITABLE);
    assertThat(FrozenStory.modeOf(base)).isEqualTo(FROZEN);

    FaultPoints.observe(null);
    story.runAll();
    assertThat(story.top("disk")).isEqualTo(base);
    assertThat(story.mode("disk")).isEqualTo(WRITABLE);
  }

  /**
   * 20.1, R8: the record that publishes the overlay has the witness of the snapshot's frozen file.
   */
  @Test
  void frozenVolumesAreWitnessedAndWritableOnesAreNot() throws Exception {
    story.disk("disk");
    story.snapshot("first", "disk", "one");
    story.write("disk", "write -P 1 0 64k");
    story.snapshot("second", "disk", "two");
    story.write("disk", "write -P 2 0 64k");
    assertThat(story.volumeOf("first").witness()).isNotNull();
    assertThat(story.volumeOf("disk").witness()).isNull();
    story.commit(new RemoveImage("first", true, Duration.ZERO, false));
    story.runAll();
    var merged = Objects.requireNonNull(story.volumeOf("second").witness());
    assertThat(merged.size()).isEqualTo(Files.size(story.top("second")));
    assertThat(merged.modified())
        .isEqualTo(Files.getLastModifiedTime(story.top("second")).toInstant());
    assertThat(story.host().check(story.repository()).problems()).isEmpty();
  }

  @Test
  void checkNamesAFrozenFileThatWasWrittenTo() throws Exception {
    story.disk("disk");
    story.snapshot("snapshot", "disk", "overlay");
    Path frozen = story.top("snapshot");
    // Neither of these changes is a write.
    Files.setAttribute(frozen, "unix:uid", 12_345);
    Files.setPosixFilePermissions(frozen, PosixFilePermissions.fromString(WRITABLE));
    assertThat(story.host().check(story.repository()).problems()).isEmpty();

    // The process runs as root, which no mode stops.
    story.guest(frozen, "write -P 9 0 64k");
    assertThat(story.host().check(story.repository()).problems())
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.CHANGED_VOLUME);
          assertThat(problem.imageId()).isEqualTo("snapshot");
          assertThat(problem.subject()).isEqualTo(String.valueOf(frozen.getFileName()));
        });
  }

  @Test
  void aMergeThatWritesDownIntoAVolumeChangesNothingThatWasWitnessed() throws Exception {
    story.disk("disk");
    story.write("disk", "write -P 1 0 1M");
    story.snapshot("first", "disk", "one");
    story.write("disk", "write -P 2 0 64k");
    story.snapshot("second", "disk", "two");
    Path base = story.top("first");
    story.commit(new RemoveImage("first", true, Duration.ZERO, false));
    story.runAll();
    assertThat(story.top("second")).isEqualTo(base);
    assertThat(story.volumeOf("second").witness()).isNotNull();
    assertThat(story.host().check(story.repository()).problems()).isEmpty();
  }

  /** 20.2: the disk would get another file, without the bytes that the process writes by then. */
  @Test
  void mergeWaitsForAProcessThatWritesToTheDisk() throws Exception {
    story.disk("disk");
    story.write("disk", "write -P 1 0 1M");
    story.snapshot("snapshot", "disk", "overlay");
    story.write("disk", "write -P 2 0 64k");
    story.commit(new RemoveImage("snapshot", true, Duration.ZERO, false));
    Path top = story.top("disk");
    try (var _ = HeldFile.of(top, "-f", "qcow2")) {
      assertThat(story.run(Objects.requireNonNull(story.next())))
          .isEqualTo(FixExecution.End.TROUBLE);
      assertThat(story.top("disk")).isEqualTo(top);
      assertThat(story.host().check(story.repository()).problems())
          .singleElement()
          .satisfies(problem -> {
            assertThat(problem.kind()).isEqualTo(Problem.Kind.FOREIGN_WRITER);
            // The search for the process has little time, which a busy machine may use up.
            assertThat(problem.reason()).matches("(qemu-io \\(process |a process on this host).*");
          });
    }
    story.runAll();
    assertThat(story.top("disk")).isNotEqualTo(top);
    assertThat(story.host().check(story.repository()).problems()).isEmpty();
  }

  @Test
  void nothingIsWrittenDownIntoAFileThatAProcessReads() throws Exception {
    story.disk("disk");
    story.write("disk", "write -P 1 0 1M");
    story.snapshot("snapshot", "disk", "overlay");
    story.write("disk", "write -P 2 0 64k");
    Path base = story.top("snapshot");
    byte[] before = Files.readAllBytes(base);
    try (var _ = HeldFile.of(base, "-r", "-f", "raw")) {
      story.commit(new RemoveImage("snapshot", true, Duration.ZERO, false));
      assertThat(story.run(Objects.requireNonNull(story.next()))).isEqualTo(FixExecution.End.OVER);
      assertThat(story.top("disk")).isNotEqualTo(base);
      assertThat(base).hasBinaryContent(before);
    }
  }

  /** 20.4: a snapshot was made between the look at the file and the commit. */
  @Test
  void growthOfAFileThatTheDiskHasLeftIsNotAdopted() throws Exception {
    story.disk("disk");
    String left = story.volumeOf("disk").id();
    story.snapshot("snapshot", "disk", "overlay");
    story.commit(new AdoptGrowth(Map.of(left, 2 * FrozenStory.SIZE)));
    assertThat(story.volumeOf("disk").size()).isEqualTo(FrozenStory.SIZE);
    assertThat(story.volumeOf("snapshot").size()).isEqualTo(FrozenStory.SIZE);
  }

  /** 20.4: check reports a growth that is not adopted, and a disk that got smaller. */
  @Test
  void checkComparesTheSizesOfDisks() throws Exception {
    story.disk("disk");
    story.snapshot("snapshot", "disk", "overlay");
    story.tool("qemu-img", "resize", "-q", "-f", "qcow2", story.top("disk").toString(), "2M");
    assertThat(story.host().check(story.repository()).problems())
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.SIZE_DIFFERS);
          assertThat(problem.reason()).contains("2097152").contains("1048576");
          assertThat(problem.remedy()).startsWith("wait");
        });
    story.commit(new AdoptGrowth(Map.of(story.volumeOf("disk").id(), 2 * FrozenStory.SIZE)));
    assertThat(story.host().check(story.repository()).problems()).isEmpty();

    story.tool(
        "qemu-img", "resize", "-q", "--shrink", "-f", "qcow2", story.top("disk").toString(), "1M");
    assertThat(story.host().check(story.repository()).problems())
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.SIZE_DIFFERS);
          assertThat(problem.remedy()).contains("backup");
        });
  }

  /** 20.4: the disk's host died before the log knew of the growth; the merge cut the disk. */
  @Test
  void diskThatHasGrownUnseenIsMergedWithItsEnd() throws Exception {
    story.disk("disk");
    story.snapshot("first", "disk", "one");
    story.write("disk", "write -P 1 0 512k");
    story.snapshot("second", "disk", "two");
    story.write("disk", "write -P 2 0 64k");
    story.commit(new RemoveImage("second", true, Duration.ZERO, false));
    growUnseen("disk");
    story.runAll();
    assertThat(story.state().visibleImage("disk")).extracting(Image::size).isEqualTo(GROWN);
    assertThat(story.volumeOf("disk").parentImageId()).isEqualTo("first");
    story.guest(story.top("disk"), "read -P 2 0 64k", "read -P 3 1M 1M");
    assertThat(story.host().check(story.repository()).problems()).isEmpty();
  }

  /** Bytes behind the last whole sector are no part of a disk. */
  @Test
  void growthIsInWholeSectors() throws Exception {
    story.disk("disk");
    try (var file = FileChannel.open(story.top("disk"), StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.allocate(1), GROWN);
    }
    RepositoryState state = story.state();
    Image disk = Objects.requireNonNull(state.visibleImage("disk"));
    assertThat(DiskSize.grown(state, story.repository().storage(), disk)).isEqualTo(GROWN);
  }

  @Test
  void diskThatAnUploadFillsKeepsItsSize() throws Exception {
    story.disk("disk");
    story.commit(new BeginUpload("upload", "disk", "filled", "story", null));
    story.commit(new AdoptGrowth(Map.of(story.volumeOf("disk").id(), GROWN)));
    assertThat(story.volumeOf("disk").size()).isEqualTo(FrozenStory.SIZE);
  }

  /** The base is writable while the merge writes, also for a domain with an outdated definition. */
  @Test
  void mergeDoesNotEndInAFileThatAProcessWritesTo() throws Exception {
    story.disk("disk");
    story.write("disk", "write -P 1 0 1M");
    story.snapshot("snapshot", "disk", "overlay");
    story.write("disk", "write -P 2 0 64k");
    Path base = story.top("snapshot");
    story.commit(new RemoveImage("snapshot", true, Duration.ZERO, false));
    List<HeldFile> holders = new ArrayList<>();
    FaultPoints.observe(place -> {
      if (place.equals("copy.done")) {
        FaultPoints.observe(null);
        holders.add(FrozenStory.writing(base));
      }
    });
    assertThat(story.run(Objects.requireNonNull(story.next()))).isEqualTo(FixExecution.End.TROUBLE);
    assertThat(story.top("disk")).isNotEqualTo(base);
    holders.forEach(HeldFile::close);
    story.runAll();
    assertThat(story.volumeOf("disk").parentImageId()).isNull();
  }

  private void growUnseen(String disk) throws Exception {
    Path top = story.top(disk);
    story.commit(new OpenImage("open", disk, false, "story", null, null));
    story.tool("qemu-img", "resize", "-q", "-f", "qcow2", top.toString(), "2M");
    story.guest(top, "write -P 3 1M 1M");
    story.commit(new CloseImage(disk, "open"));
  }

  /** The host that reconciles does not know of the merge yet: the base stays writable. */
  @Test
  void mergeThatBeginsWhileModesAreReconciledMayWrite() throws Exception {
    String baseId = baseOfAMerge();
    Path base = fileOf(baseId);
    FaultPoints.observe(place -> {
      if (place.equals("modes.looked")) {
        FaultPoints.observe(null);
        beginMerge(baseId, FrozenStory.DEAD);
        setMode(base, WRITABLE);
      }
    });
    setMode(base, "rw-r-----");
    assertThat(VolumeModes.reconcile(story.repository(), baseId, true)).isNull();
    assertThat(FrozenStory.modeOf(base)).isEqualTo(WRITABLE);
  }

  /** No host froze the base of a merge whose own host had died and whose disk was opened. */
  @Test
  void mergeOfADeadHostThatWasGivenUpLeavesItsBaseFrozen() throws Exception {
    String baseId = baseOfAMerge();
    Path base = fileOf(baseId);
    beginMerge(baseId, FrozenStory.DEAD);
    DeadMerges merges = new DeadMerges(story.host().context());
    merges.end(story.repository(), true);
    assertThat(volume(baseId).writer()).as("another worker continues the merge").isNotNull();

    story.commit(new OpenImage("open", "disk", false, "story", null, null));
    merges.end(story.repository(), false);
    assertThat(volume(baseId).writer()).as("the SDM's host reports for dead hosts").isNotNull();
    merges.end(story.repository(), true);
    assertThat(volume(baseId).writer()).isNull();
    assertThat(VolumeModes.reconcile(story.repository(), baseId, true)).isNotNull();
    assertThat(FrozenStory.modeOf(base)).isEqualTo(FROZEN);
  }

  /** 20.2: a process that had the file open at the freeze can still write. */
  @Test
  void snapshotThatAProcessWritesToIsNotPublished() throws Exception {
    story.disk("disk");
    Path top = story.top("disk");
    story.commit(
        new CreateSnapshot(
            "snapshot", "disk", "overlay", true, JsonNodeFactory.instance.objectNode(), null));
    try (var _ = HeldFile.of(top, "-f", "raw")) {
      assertThat(story.run(Objects.requireNonNull(story.next())))
          .isEqualTo(FixExecution.End.TROUBLE);
      assertThat(story.state().stateOf(Objects.requireNonNull(story.state().images().get("disk"))))
          .isEqualTo(ImageState.BROKEN);
    }
    story.runAll();
    assertThat(story.volumeOf("snapshot").witness()).isNotNull();
  }

  /** The id of the volume into which a merge is to write. */
  private String baseOfAMerge() throws Exception {
    story.disk("disk");
    story.write("disk", "write -P 1 0 1M");
    story.snapshot("snapshot", "disk", "overlay");
    String baseId = story.volumeOf("snapshot").id();
    story.commit(new RemoveImage("snapshot", true, Duration.ZERO, false));
    return baseId;
  }

  private Path fileOf(String volumeId) throws Exception {
    return story.repository().storage().volumes().path(String.valueOf(volume(volumeId).file()));
  }

  private Volume volume(String id) throws Exception {
    return Objects.requireNonNull(story.state().volumes().get(id));
  }

  private static void setMode(Path file, String mode) {
    try {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void beginMerge(String baseId, Worker worker) {
    Volume better =
        story.repository().state().repository().volumes().values().stream()
            .filter(volume -> volume.replaces() != null)
            .findFirst()
            .orElseThrow();
    var writer = new Volume.Writer(FixState.makerId(better), worker, 1);
    story.commit(new BeginMergeInPlace(better.id(), baseId, writer, null));
  }
}
