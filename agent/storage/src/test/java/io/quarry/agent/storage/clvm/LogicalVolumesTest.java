package io.quarry.agent.storage.clvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.data.os.DeviceMapper.Device;
import io.quarry.agent.data.os.DeviceMapper.DeviceNumber;
import io.quarry.agent.data.os.DeviceMapper.Table;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.process.Spawner;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What agents conclude from the answers of the kernel and of LVM. */
final class LogicalVolumesTest {
  private static final String UUID = "LVM-" + "0aZ9".repeat(16);
  private static final DeviceNumber NUMBER = new DeviceNumber(254, 7);

  private static LogicalVolume checked(String uuid, boolean readOnly, String... types) {
    return LogicalVolumes.checked(
        "storage",
        "quarry-meta",
        new Device("storage-quarry--meta", uuid, NUMBER, 0, readOnly),
        new Table(1 << 20, Set.of(types)));
  }

  private static StorageException refusal(String uuid, boolean readOnly, String... types) {
    return catchThrowableOfType(StorageException.class, () -> checked(uuid, readOnly, types));
  }

  private static void assertUnusable(StorageException refusal, String subject, String... why) {
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNUSABLE);
    assertThat(refusal.subject()).isEqualTo(subject);
    assertThat(refusal).hasMessageContainingAll(why);
    assertThat(refusal.remedy()).isNotBlank();
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "striped"})
  void ordinaryVolumeIsUsed(String type) {
    LogicalVolume found = checked(UUID, false, type);
    assertThat(found).isEqualTo(new LogicalVolume("storage", "quarry-meta", UUID, NUMBER, 1 << 20));
    assertThat(found.node()).isEqualTo(Path.of("/dev/dm-7"));
    assertThat(found.path()).isEqualTo("storage/quarry-meta");
  }

  @Test
  void keyFollowsFromTheUuid() {
    String key = checked(UUID, false, "linear").key();
    // printf LVM-0aZ9... | sha256sum
    assertThat(key).isEqualTo("d4a73e4e9e710b05c18432705a78cbfe");
    String other = "LVM-" + "0aZ9".repeat(15) + "0aZ8";
    assertThat(checked(other, false, "linear").key()).isNotEqualTo(key);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "CRYPT-LUKS2-x", "mpath-3600", "LVM-short"})
  void deviceOfAnotherProgramIsRefused(String uuid) {
    assertUnusable(
        refusal(uuid, false, "linear"),
        "storage/quarry-meta",
        "storage-quarry--meta",
        "is no logical volume");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-pool", "-cow", "-real"})
  void internalDeviceIsRefused(String suffix) {
    assertUnusable(
        refusal(UUID + suffix, false, "linear"), "storage/quarry-meta", "is no logical volume");
  }

  /** Such a volume has a state in the memory of each host. */
  @ParameterizedTest
  @ValueSource(
      strings = {"snapshot-origin", "snapshot", "thin", "raid", "mirror", "cache", "error"})
  void volumeForOneHostIsRefused(String type) {
    assertUnusable(
        refusal(UUID, false, type, "linear"), "storage/quarry-meta", type, "only one host");
  }

  @Test
  void readOnlyVolumeIsRefused() {
    assertUnusable(refusal(UUID, true, "linear"), "storage/quarry-meta", "read-only");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          storage | this host has no volume group storage | '  Volume group "storage" not found'
          storage/quarry-data | has no logical volume quarry-data | '  Failed to find logical volume "storage/quarry-data"'
          storage/quarry-data | cannot be activated: Volume group "storage" is exported | '  Volume group "storage" is exported'
          storage/quarry-data | cannot be activated: LVM gives no reason | ''
          storage/quarry-data | not found | '  Volume group "other" not found'
          """)
  void refusalsOfLvmAreToldApart(String subject, String why, String printed) {
    assertUnusable(LvmFailure.of("storage", "quarry-data", "be activated", printed), subject, why);
  }

  /** A failed open stands for the one of the device mapper. */
  @Test
  void kernelWithoutMapperIsNamed(@TempDir Path directory) {
    assertUnusable(
        LogicalVolumes.withoutMapper("storage", opening(directory.resolve("none"))),
        "storage",
        "has no device mapper");
  }

  private static IOException opening(Path path) {
    return catchThrowableOfType(
        IOException.class,
        () -> {
          try (NativeFile file = NativeFile.openWrite(path)) {
            file.size();
          }
        });
  }

  @Test
  void programThatIsMissingIsNamed() {
    HostTool tool = new HostTool(new Spawner(), Duration.ofMinutes(1));
    StorageException refusal =
        catchThrowableOfType(
            StorageException.class,
            () -> tool.run("lvm2", "storage/data", List.of("no-such-lvchange", "x")));
    assertUnusable(refusal, "storage/data", "this host has no lvm2", "no-such-lvchange");
  }

  @Test
  void programThatHangsIsKilled() {
    HostTool tool = new HostTool(new Spawner(), Duration.ofMillis(1));
    StorageException refusal =
        catchThrowableOfType(
            StorageException.class,
            () -> tool.run("lvm2", "storage/data", List.of("sleep", "infinity")));
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNRESPONSIVE);
    assertThat(refusal).hasMessageContaining("sleep gave no answer");
  }
}
