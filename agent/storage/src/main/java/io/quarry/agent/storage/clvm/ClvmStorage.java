package io.quarry.agent.storage.clvm;

import com.fasterxml.jackson.core.JacksonException;
import io.quarry.agent.data.os.DeviceMapper;
import io.quarry.agent.data.os.DeviceNodes;
import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.Traits;
import io.quarry.agent.storage.VolumeLog;
import io.quarry.agent.storage.WorkStore;
import io.quarry.agent.storage.block.BlockDevice;
import io.quarry.agent.storage.block.Canaries;
import io.quarry.agent.storage.block.LogWork;
import io.quarry.agent.storage.block.MappedDevices;
import io.quarry.agent.storage.clvm.ClvmVolumes.DeviceOwners;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.cluster.Canary;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.plan.Extents;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.GrowPool;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Pool;
import io.quarry.coordinator.plan.RepositoryState;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A repository on two logical volumes: one with the log, one with the extents of volumes. */
public final class ClvmStorage implements RepositoryStorage {
  private static final Logger LOG = LoggerFactory.getLogger(ClvmStorage.class);

  /** Small, so that an overlay without data takes little; a volume of 1 TiB has 65,536 of them. */
  static final long EXTENT_BYTES = 16L << 20;

  private static final Path NODES = Path.of("/dev/quarry");
  private static final int NODE_MODE = 0660;
  private static final int KEY_DIGITS_SHOWN = 8;
  private static final int PING_BYTES = 4096;

  private final ClvmConnection.Connected connected;
  private final ClvmParameters parameters;
  private final BlockDevice meta;
  private final DeviceMapper mapper;
  private final MappedDevices devices;
  private final ClvmVolumes volumes;
  private final Canaries canaries;
  private volatile @Nullable Member member;

  /** This host's part in the repository's log. */
  private record Member(VolumeLog log, Attachments attachments, Growth growth, WorkStore work) {}

  /**
   * @param connected the storage closes it
   * @param meta the volume with the log, for what is not the log; the storage closes it
   */
  ClvmStorage(ClvmConnection.Connected connected, ClvmParameters parameters, BlockDevice meta)
      throws IOException {
    this.connected = connected;
    this.parameters = parameters;
    this.meta = meta;
    Genesis genesis = connected.genesis();
    Genesis.Blocks blocks = Objects.requireNonNull(genesis.blocks());
    this.canaries =
        new Canaries(meta, blocks.ringBytes(), connected.key(), connected.slot(), blocks.slots());
    int owner = Objects.requireNonNull(genesis.owner());
    int group = Objects.requireNonNull(genesis.group());
    Path nodes = NODES.resolve(connected.key().substring(0, KEY_DIGITS_SHOWN));
    this.mapper = DeviceMapper.open();
    this.devices =
        new MappedDevices(
            mapper,
            DeviceNodes.in(nodes, owner, group, NODE_MODE),
            connected.key(),
            connected.data().number(),
            EXTENT_BYTES);
    this.volumes =
        new ClvmVolumes(
            devices,
            () -> member().attachments(),
            parameters.chunkBytes(),
            new DeviceOwners(owner, group, NODE_MODE));
  }

  private Member member() {
    Member now = member;
    if (now == null) {
      throw new IllegalStateException(place() + " is not part of the cluster yet");
    }
    return now;
  }

  @Override
  public void useLog(VolumeLog log, String hostId, HostBoot boot) throws IOException {
    devices.removeStrayNodes();
    Attachments attachments = new Attachments(log, hostId, boot, devices, Attachments.IDLE);
    Growth growth = new Growth(log, hostId, attachments, devices, parameters.chunkBytes());
    member = new Member(log, attachments, growth, new LogWork(log));
  }

  @Override
  public void tend() throws IOException {
    Member now = member();
    RepositoryState state = now.log().state().repository();
    if (!state.schema().has(Feature.EXTENTS)) {
      // The first SDM is about to commit the features of the genesis.
      return;
    }
    if (state.extents().pool() == null) {
      var _ = now.log().commit(new GrowPool(EXTENT_BYTES, extentsOfDevice()));
    }
    now.attachments().tend();
  }

  @Override
  public void grow() {
    member().growth().look();
  }

  private long extentsOfDevice() {
    return connected.data().bytes() / EXTENT_BYTES - MappedDevices.LABEL_EXTENTS;
  }

  @Override
  public Genesis genesis() {
    return connected.genesis();
  }

  @Override
  public Traits traits() {
    return new Traits(Limits.IMAGE_BYTES_MAX, "readOnly", "none", true);
  }

  @Override
  public SlotStore slots() {
    return connected.log();
  }

  @Override
  public ClvmVolumes volumes() {
    return volumes;
  }

  @Override
  public WorkStore work() {
    return member().work();
  }

  @Override
  public String place() {
    return parameters.vg() + "/" + parameters.meta();
  }

  @Override
  public Space space() {
    Extents extents = member().log().state().repository().extents();
    Pool pool = extents.pool();
    long all = pool == null ? extentsOfDevice() : pool.extents();
    long free = pool == null ? all : extents.freeExtents();
    return new Space(all * EXTENT_BYTES, free * EXTENT_BYTES, true);
  }

  @Override
  public void ping(String name) throws IOException {
    meta.read(0, new byte[PING_BYTES]);
    connected.dataDevice().read(0, new byte[PING_BYTES]);
  }

  @Override
  public boolean isUsable(String name) {
    try {
      ping(name);
      return true;
    } catch (IOException e) {
      LOG.debug("{} cannot be used: {}", place(), e.toString());
      return false;
    }
  }

  @Override
  public @Nullable String keyAtPlace() throws IOException {
    return connected.keyAtPlace(parameters);
  }

  @Override
  public List<Canary> canaries() throws IOException {
    List<Canary> found = new ArrayList<>();
    for (byte[] text : canaries.read()) {
      try {
        found.add(Json.MAPPER.readValue(text, Canary.class));
      } catch (JacksonException e) {
        LOG.debug("A canary of {} cannot be read: {}", place(), e.getMessage());
      }
    }
    return found;
  }

  @Override
  public void writeCanary(String hostId, Canary canary) throws IOException {
    canaries.write(Json.MAPPER.writeValueAsBytes(canary));
  }

  /** Extents are not shared between volumes. */
  @Override
  public boolean sharesBlocks(RepositoryStorage from) {
    return false;
  }

  /** Nothing has a temporary name. */
  @Override
  public int sweep(Duration age) {
    return 0;
  }

  /** The logical volumes stay active: other programs of the host may use them. */
  @Override
  public void disconnects() {
    try {
      member().attachments().leave();
    } catch (IOException | StorageException e) {
      LOG.warn(
          "{} keeps what this host has mapped until the host connects it again: {}",
          place(),
          e.getMessage());
    }
  }

  /** Devices that VMs use stay, and the next agent finds them again. */
  @Override
  public void close() {
    mapper.close();
    meta.close();
    connected.close();
  }
}
