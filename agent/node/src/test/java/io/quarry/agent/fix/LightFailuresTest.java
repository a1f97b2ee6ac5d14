package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.data.LoopFilesystem;
import io.quarry.agent.data.SmallStorage;
import io.quarry.agent.data.os.AsUser;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.CreateSnapshot;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FixState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Objects;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * 12.7: a refusal by the kernel counted as a crash of a light fix. The fix ran for ever, showed no
 * error, and left a file and a commit at each try.
 */
@Timeout(120)
final class LightFailuresTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String MEND = FixState.mendId("disk-0");

  @TempDir private Path directory;

  /** EFBIG; the caller asked an agent that does not know the storage's largest file. */
  @Test
  void tooLargeVolumeIsParkedAndLeavesNothing() throws Exception {
    try (LoopFilesystem ext4 = LoopFilesystem.mountExt4(directory, 64 << 20)) {
      Files.createSymbolicLink(directory.resolve("here"), ext4.path());
      try (FrozenStory story = new FrozenStory(directory)) {
        story.commit(disk(5L << 40));
        for (int failures = 1; failures < FixState.FAILURES_MAX; failures++) {
          assertThat(story.run(fix(story, MEND))).isEqualTo(FixExecution.End.FAILED);
          FixState failed = fix(story, MEND);
          assertThat(failed.failures()).isEqualTo(failures);
          assertThat(failed.retryAt()).isNotNull();
          assertThat(failed.lastError()).contains("disk-0." + failures + ".raw", "File too large");
        }
        assertThat(story.run(fix(story, MEND))).isEqualTo(FixExecution.End.FAILED);
        assertThat(fix(story, MEND).parked()).isTrue();
        assertThat(story.repository().storage().volumes().names()).isEmpty();
      }
    }
  }

  /** ENOSPC: the fix waits for space, and the wait is no failure. */
  @Test
  void fullStorageIsWaitedForAndNothingIsLeft() throws Exception {
    Path here = Files.createDirectory(directory.resolve("here"));
    try (SmallStorage small = SmallStorage.mounted(here, "size=16m");
        FrozenStory story = new FrozenStory(directory)) {
      story.disk("disk");
      story.commit(snapshot());
      RunningFix mend = story.granted(fix(story, FixState.mendId("overlay")));
      Path filler = small.fill();
      assertThat(FixExecution.run(mend)).isEqualTo(FixExecution.End.TROUBLE);
      assertThat(fix(story, mend.fix().id()).failures()).isZero();
      assertThat(story.repository().storage().volumes().names()).hasSize(1);
      Files.delete(filler);
      story.runAll();
    }
  }

  /** EDQUOT: the storage has space, but not for this user. */
  @Test
  void quotaIsNamed() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(directory, "uquota")) {
      Files.createSymbolicLink(directory.resolve("here"), xfs.path());
      try (FrozenStory story = new FrozenStory(directory)) {
        story.disk("disk");
        story.commit(snapshot());
        openForAll("volumes");
        openForAll("tmp");
        xfs.limitUser(AsUser.USER, "64k");
        FixState mend = fix(story, FixState.mendId("overlay"));
        AsUser.run(() -> assertThat(story.run(mend)).isEqualTo(FixExecution.End.FAILED));
        assertThat(fix(story, mend.id()).lastError()).contains("Disk quota exceeded");
        assertThat(story.repository().storage().volumes().names()).hasSize(1);
      }
    }
  }

  /** EACCES: the agent may use the storage, but not this directory. */
  @Test
  void forbiddenDirectoryIsNamed() throws Exception {
    try (FrozenStory story = new FrozenStory(directory)) {
      story.commit(disk(FrozenStory.SIZE));
      openForAll("tmp");
      AsUser.run(() -> assertThat(story.run(fix(story, MEND))).isEqualTo(FixExecution.End.FAILED));
      assertThat(fix(story, MEND).lastError()).contains("disk-0.1.raw", "Permission denied");
    }
  }

  /** A host without the right to write leaves the fix to other hosts. */
  @Test
  void forbiddenStorageCountsAgainstNoFix() throws Exception {
    try (FrozenStory story = new FrozenStory(directory)) {
      story.commit(disk(FrozenStory.SIZE));
      AsUser.run(() -> assertThat(story.run(fix(story, MEND))).isEqualTo(FixExecution.End.TROUBLE));
      assertThat(fix(story, MEND).failures()).isZero();
      story.runAll();
    }
  }

  /** EROFS. */
  @Test
  void readOnlyStorageIsNoStorageToWorkOn() throws Exception {
    Path here = Files.createDirectory(directory.resolve("here"));
    try (SmallStorage small = SmallStorage.mounted(here, "size=16m");
        FrozenStory story = new FrozenStory(directory)) {
      story.commit(disk(FrozenStory.SIZE));
      RunningFix mend = story.granted(fix(story, MEND));
      small.makeReadOnly();
      assertThat(FixExecution.run(mend)).isEqualTo(FixExecution.End.TROUBLE);
      Awaitility.await().atMost(PATIENCE).until(() -> !story.repository().workable());
      assertThat(story.repository().pulse().failing())
          .hasMessageContaining("Read-only file system")
          .extracting(failing -> failing.remedy())
          .asString()
          .contains("mount the storage");
      Awaitility.await().atMost(PATIENCE).until(() -> !story.repository().leading());
    }
  }

  /** EIO: a filesystem that has shut itself down. */
  @Test
  void storageThatFailsIsNoStorageToWorkOn() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(directory)) {
      Files.createSymbolicLink(directory.resolve("here"), xfs.path());
      try (FrozenStory story = new FrozenStory(directory)) {
        story.commit(disk(FrozenStory.SIZE));
        RunningFix mend = story.granted(fix(story, MEND));
        xfs.cutPower();
        assertThat(FixExecution.run(mend)).isEqualTo(FixExecution.End.TROUBLE);
        Awaitility.await().atMost(PATIENCE).until(() -> !story.repository().workable());
        assertThat(story.repository().pulse().failing()).hasMessageContaining("Input/output error");
      }
    }
  }

  private void openForAll(String name) throws Exception {
    Files.setPosixFilePermissions(
        directory.resolve("here").resolve(name).toRealPath(),
        PosixFilePermissions.fromString("rwxrwxrwx"));
  }

  private static CreateVirtualDisk disk(long size) {
    return new CreateVirtualDisk(
        "disk",
        "disk-0",
        size,
        null,
        null,
        Strategy.SPACE,
        true,
        JsonNodeFactory.instance.objectNode(),
        null);
  }

  private static CreateSnapshot snapshot() {
    return new CreateSnapshot(
        "snapshot", "disk", "overlay", true, JsonNodeFactory.instance.objectNode(), null);
  }

  private static FixState fix(FrozenStory story, String id) {
    return Objects.requireNonNull(story.repository().state().repository().fixes().get(id), id);
  }
}
