package io.quarry.agent.storage.block;

import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.Genesis.Blocks;
import io.quarry.agent.storage.GenesisCodec;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.CommitLog;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Finds the log of a repository on a device, or makes an unused device into a repository. */
public final class BlockConnection {
  /** The smallest device that holds a log. */
  public static final long DEVICE_BYTES_MIN = Layout.DEVICE_BYTES_MIN;

  private final String format;
  private final BlockDevice device;
  private final Key key;
  private final HostSlot host;
  private final Leader.Pause pause;
  private final GenesisLog first;

  /** What a device holds. */
  public record Connected(Genesis genesis, BlockSlotStore log) {}

  /**
   * @param format the name of the format
   * @param key of the device: blocks with another key are void
   */
  public BlockConnection(String format, BlockDevice device, String key, HostSlot host) {
    this(format, device, new Key(key), host, new RandomPause());
  }

  BlockConnection(String format, BlockDevice device, Key key, HostSlot host, Leader.Pause pause) {
    this.format = format;
    this.device = device;
    this.key = key;
    this.host = host;
    this.pause = pause;
    this.first = new GenesisLog(device, key, host, pause);
  }

  /** Null when the device holds no repository. The log closes the device. */
  public @Nullable Connected connect() throws IOException {
    byte[] found = first.read();
    return found == null ? null : connect(found);
  }

  /**
   * Makes the device into a repository, unless the device holds one. Several hosts may do this at
   * once: all get the record of one of them.
   *
   * @param genesis of the new repository
   * @param slots how many hosts may write to the log, from 8 to 64
   */
  public Connected create(Genesis genesis, int slots) throws IOException {
    byte[] found = first.read();
    if (found == null) {
      Blocks blocks = new Blocks(ringBytes(), slots);
      found = first.decide(GenesisCodec.encode(genesis.on(blocks)));
    }
    return connect(found);
  }

  /** The key of the repository that the device holds now; null when it holds none. */
  public @Nullable String repositoryKey() throws IOException {
    byte[] record = first.read();
    return record == null
        ? null
        : GenesisCodec.decode(record, format, device.name(), first.describe()).key();
  }

  private long ringBytes() throws IOException {
    long size = device.size();
    if (size < Layout.DEVICE_BYTES_MIN) {
      throw unusable(
          device.name() + " has " + size + " bytes, which is too small for a log",
          "make the device larger: at least " + Layout.DEVICE_BYTES_MIN + " bytes");
    }
    return Layout.ofDevice(size).ringBytes();
  }

  private Connected connect(byte[] record) throws IOException {
    Genesis genesis = GenesisCodec.decode(record, format, device.name(), first.describe());
    Blocks blocks = genesis.blocks();
    if (blocks == null) {
      throw unusable(
          first.describe() + " does not say where the log is on the device",
          "restore the device from a backup");
    }
    Layout layout = Layout.ofRing(blocks.ringBytes());
    BlockSlotStore log =
        new BlockSlotStore(device, layout, key, host, blocks.slots(), pause, frame -> {});
    if (!first.isBegun()) {
      // The host that made the repository may have died.
      CommitLog.create(log);
      first.begin(record);
    }
    return new Connected(genesis, log);
  }

  private StorageException unusable(String message, String remedy) {
    return new StorageException(ErrorCode.REPOSITORY_UNUSABLE, message, device.name(), remedy);
  }
}
