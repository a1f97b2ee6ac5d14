package io.quarry.agent.storage.clvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.storage.block.HostLog;
import io.quarry.agent.storage.block.KernelDevices;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.log.MemoryDisk;
import io.quarry.coordinator.log.MemorySlotStore;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FenceMappings;
import io.quarry.coordinator.plan.FinishMend;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.GrowPool;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.MappingWorld.Kernel;
import io.quarry.coordinator.plan.OpenImage;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Run;
import io.quarry.coordinator.plan.TombstoneVolume;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two hosts that reach the files of one repository, with devices in memory. */
class AttachmentsTest {
  private static final long EXTENT = ClvmStorage.EXTENT_BYTES;
  private static final long EXTENTS = 8;
  private static final String FILE = "v.1.qcow2";

  private final MemoryDisk disk = new MemoryDisk();
  private final Map<String, Integer> cuts = new HashMap<>();

  @SuppressWarnings("NullAway.Init")
  private Host first;

  @SuppressWarnings("NullAway.Init")
  private Host second;

  /** A host with the devices of its kernel. */
  private final class Host {
    private final String id;
    private final HostLog log;
    private final Kernel kernel;
    private final Attachments attachments;

    private Host(String id, Kernel kernel, String boot) throws IOException {
      this.id = id;
      this.kernel = kernel;
      this.log = new HostLog(new MemorySlotStore(disk), id);
      this.attachments =
          new Attachments(
              log,
              id,
              new HostBoot("key-" + id, boot),
              new KernelDevices(kernel, cuts),
              Duration.ZERO);
    }

    private Host nextAgent() throws IOException {
      return new Host(id, kernel, "boot");
    }

    private RepositoryState state() throws IOException {
      return log.refresh().repository();
    }

    private void tend() throws IOException {
      var _ = log.refresh();
      attachments.tend();
    }
  }

  @BeforeEach
  void makeDisk() throws IOException {
    HostLog.begin(new MemorySlotStore(disk));
    first = new Host("host1", new Kernel(), "boot");
    second = new Host("host2", new Kernel(), "boot");
    first.log.commit(new GrowPool(EXTENT, EXTENTS));
    first.log.commit(
        new CreateVirtualDisk(
            "disk",
            "v",
            4 * EXTENT,
            null,
            null,
            Strategy.SPACE,
            true,
            JsonNodeFactory.instance.objectNode(),
            new Worker("host1", "life")));
  }

  private void finish() {
    first.log.commit(new FinishMend("mend-v", "v", 1, FILE));
  }

  @Test
  void newFileHasExtentsAndADevice() throws IOException {
    first.attachments.create(FILE, 2 * EXTENT);
    assertThat(first.kernel.runs(FILE)).containsExactly(new Run(0, 2));
    assertThatThrownBy(() -> second.attachments.create(FILE, EXTENT))
        .isInstanceOf(FileFailure.Exists.class);
    first.attachments.reserve(FILE, 3 * EXTENT);
    assertThat(first.kernel.runs(FILE)).containsExactly(new Run(0, 3));
  }

  @Test
  void fileThatDoesNotFitIsRefusedAsOnAFullFilesystem() {
    assertThatThrownBy(() -> first.attachments.create(FILE, (EXTENTS + 1) * EXTENT))
        .isInstanceOfSatisfying(
            FileFailure.class,
            failure -> assertThat(failure.kind()).isEqualTo(FileFailure.Kind.NO_SPACE));
    assertThat(first.kernel.files()).isEmpty();
  }

  @Test
  void fileThatIsNotThereIsNotFound() {
    assertThatThrownBy(() -> first.attachments.reach("v.7.qcow2"))
        .isInstanceOf(FileFailure.NotFound.class);
    assertThatThrownBy(() -> first.attachments.create("other.1.qcow2", EXTENT))
        .isInstanceOf(FileFailure.NotFound.class);
  }

  @Test
  void deviceStaysForAnOpenAndGoesAfterIt() throws IOException {
    first.attachments.create(FILE, EXTENT);
    finish();
    second.attachments.reach(FILE);
    HostBoot boot = new HostBoot("key-host2", "boot");
    first.log.commit(new OpenImage("open", "disk", false, "host2", "vm", null, boot));
    second.tend();
    first.tend();
    assertThat(second.kernel.files()).containsExactly(FILE);
    assertThat(first.kernel.files()).as("of the host where nobody needs it").isEmpty();
    assertThat(first.state().extents().mappingsOf(FILE)).hasSize(1);
    first.log.commit(new CloseImage("disk", "open"));
    second.tend();
    assertThat(second.kernel.files()).isEmpty();
    assertThat(first.state().extents().mappingsOf(FILE)).isEmpty();
    second.attachments.reach(FILE);
    assertThat(second.kernel.files()).containsExactly(FILE);
  }

  @Test
  void deviceThatAProgramHasOpenStays() throws IOException {
    first.attachments.create(FILE, EXTENT);
    first.kernel.open(FILE);
    first.tend();
    assertThat(first.kernel.files()).containsExactly(FILE);
    assertThat(first.state().extents().mappingsOf(FILE)).hasSize(1);
    Host next = first.nextAgent();
    next.tend();
    assertThat(first.kernel.files()).containsExactly(FILE);
    first.kernel.close(FILE);
    next.tend();
    assertThat(first.kernel.files()).isEmpty();
  }

  @Test
  void extentsAreKeptWhileAnotherHostMayHaveThem() throws IOException {
    first.attachments.create(FILE, EXTENT);
    finish();
    second.attachments.reach(FILE);
    first.log.commit(new RemoveImage("disk", false, Duration.ZERO, false));
    first.log.commit(new TombstoneVolume("clean-v", "v"));
    assertThat(first.attachments.remove(FILE)).isTrue();
    assertThat(first.kernel.files()).isEmpty();
    assertThat(first.state().extents().freeExtents()).isEqualTo(EXTENTS - 1);
    second.tend();
    assertThat(first.attachments.remove(FILE)).isTrue();
    assertThat(first.state().extents().freeExtents()).isEqualTo(EXTENTS);
    assertThat(first.attachments.remove(FILE)).isFalse();
  }

  @Test
  void nextBootEndsWhatTheLastOneHadMapped() throws IOException {
    first.attachments.create(FILE, EXTENT);
    Host rebooted = new Host("host1", new Kernel(), "next-boot");
    rebooted.tend();
    assertThat(second.state().extents().mappingsOf(FILE)).isEmpty();
    rebooted.attachments.reach(FILE);
    assertThat(rebooted.kernel.files()).containsExactly(FILE);
  }

  /** An open of the new boot must not keep the mapping of the old one. */
  @Test
  void fileThatIsOpenAfterABootIsMappedAnew() throws IOException {
    first.attachments.create(FILE, EXTENT);
    finish();
    HostBoot next = new HostBoot("key-host1", "next-boot");
    second.log.commit(new OpenImage("open", "disk", false, "host1", "vm", null, next));
    Host rebooted = new Host("host1", new Kernel(), "next-boot");
    assertThatThrownBy(() -> rebooted.attachments.reach(FILE)).isInstanceOf(IOException.class);
    rebooted.tend();
    rebooted.attachments.reach(FILE);
    rebooted.tend();
    assertThat(rebooted.kernel.files()).containsExactly(FILE);
  }

  @Test
  void fencedHostLosesADeviceThatAProgramHasOpen() throws IOException {
    first.attachments.create(FILE, EXTENT);
    first.kernel.open(FILE);
    Map<String, Long> mappings = second.state().extents().mappingsBy("host1");
    second.log.commit(new FenceMappings("host1", mappings));
    first.tend();
    assertThat(cuts).containsOnlyKeys(FILE);
    assertThat(first.kernel.runs(FILE)).isEmpty();
  }

  @Test
  void fileIsInUseWhereAProgramMayHaveItOpen() throws IOException {
    first.attachments.create(FILE, EXTENT);
    finish();
    assertThat(first.attachments.mayBeInUse(FILE)).isFalse();
    first.kernel.open(FILE);
    assertThat(first.attachments.mayBeInUse(FILE)).isTrue();
    first.kernel.close(FILE);
    second.attachments.reach(FILE);
    assertThat(first.attachments.mayBeInUse(FILE)).as("mapped on the other host").isTrue();
    second.tend();
    assertThat(first.attachments.mayBeInUse(FILE)).isFalse();
  }

  @Test
  void disconnectedHostLeavesNoMapping() throws IOException {
    first.attachments.create(FILE, EXTENT);
    first.attachments.leave();
    assertThat(first.kernel.files()).isEmpty();
    assertThat(second.state().extents().mappingsOf(FILE)).isEmpty();
  }

  @Test
  void onlyWhatTheLogSaysIsWritable() throws IOException {
    first.attachments.create(FILE, EXTENT);
    assertThat(first.attachments.mayWrite(first.state(), FILE)).isTrue();
    assertThat(first.attachments.mayWrite(first.state(), "other.1.qcow2")).isFalse();
  }
}
