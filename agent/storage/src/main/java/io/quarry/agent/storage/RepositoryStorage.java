package io.quarry.agent.storage;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.cluster.Canary;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.plan.HostBoot;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The storage of a connected repository. A format implements this interface and the interfaces that
 * its methods return; no other code knows what the storage is made of. Calls block on the storage:
 * never call on an API thread.
 */
public interface RepositoryStorage extends AutoCloseable {
  Genesis genesis();

  Traits traits();

  /** The names of the commit log's records and checkpoints. */
  SlotStore slots();

  VolumeStore volumes();

  WorkStore work();

  /**
   * The host takes part in the repository's log. A storage that keeps its volumes' places in the
   * log needs this before any volume is used.
   *
   * @param boot in which the host runs
   */
  default void useLog(VolumeLog log, String hostId, HostBoot boot) throws IOException {}

  /** Brings what this host has attached in line with the log; call this each second. */
  default void tend() throws IOException {}

  /** Gives volumes room for what programs are about to write; call this several times a second. */
  default void grow() throws IOException {}

  /** Where the storage is, for messages. */
  String place();

  Space space() throws IOException;

  /**
   * Makes and removes something of that name: a tiny request that no cache can answer. A full
   * storage answers, too.
   */
  void ping(String name) throws IOException;

  /** Whether this host can make and remove files; also true on a full storage. */
  boolean isUsable(String name);

  /**
   * The key of the repository at its place now, or null when there is none. The storage that is
   * connected stays the same, even when it is unmounted, moved or mounted over.
   */
  @Nullable String keyAtPlace() throws IOException;

  /** The canaries that SDMs have left, at the place that tools get. */
  List<Canary> canaries() throws IOException;

  /** Writes this host's canary, durably. */
  void writeCanary(String hostId, Canary canary) throws IOException;

  /** Whether volumes of the other storage can be copied here without writing their data. */
  boolean sharesBlocks(RepositoryStorage from) throws IOException;

  /**
   * Removes temporary files that interrupted calls have left.
   *
   * @param age files that are younger by the storage's own clock stay
   * @return how many files were removed
   */
  int sweep(Duration age) throws IOException;

  /** Refuses an image that this storage cannot hold; ignores a size that is not valid. */
  default void requireHolds(long size) {
    if (Limits.isImageSize(size) && size > traits().largestImage()) {
      throw new StorageException(
          ErrorCode.IMAGE_TOO_LARGE,
          "an image of "
              + size
              + " bytes is too large for the files of "
              + place()
              + ", which hold images of at most "
              + traits().largestImage()
              + " bytes",
          "size",
          "give a smaller size, or use a repository on a filesystem with larger files, such as"
              + " XFS");
    }
  }

  /** A caller disconnects the repository: the next close is not only that of this agent's use. */
  void disconnects();

  /**
   * Unmounts or detaches what the connection has mounted or attached. What the connection has found
   * mounted stays, unless a caller disconnects the repository.
   */
  @Override
  void close();

  /**
   * The space for volumes.
   *
   * @param capacity in bytes
   * @param free in bytes
   * @param roomForFiles whether more files can be made
   */
  record Space(long capacity, long free, boolean roomForFiles) {}
}
