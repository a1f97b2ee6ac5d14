package io.quarry.agent.storage;

import io.quarry.agent.data.os.FileStatus;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.FileUse;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.plan.Volume.Witness;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The volumes of a repository, by name. A frozen volume refuses writers, so a domain whose
 * definition is out of date fails to open the volume, and changes no snapshot. The agent thaws a
 * frozen volume before the agent or its tools open the volume for writing.
 *
 * <p>Calls may come from several threads at once.
 */
public interface VolumeStore {
  /** The layer by which tools open a volume. */
  Chain.Layer layer(String name, VolumeFormat format);

  /** The path of a volume, for messages. */
  Path path(String name);

  /** All names of volumes, and of foreign files beside them. */
  List<String> names() throws IOException;

  /** Owner, mode, size and times of a volume. */
  FileStatus status(String name) throws IOException;

  /**
   * Makes a new volume, which reads as zeros. The name is durable after {@link #force}.
   *
   * @param bytes that the volume has room for; volumes grow where that costs nothing
   */
  NativeFile create(String name, long bytes) throws IOException;

  NativeFile openRead(String name) throws IOException;

  /**
   * Opens a volume that is being made for reading and writing; an earlier worker may have frozen
   * the volume.
   */
  NativeFile openWrite(String name) throws IOException;

  /**
   * Removes the write permission, durably; a process that has the volume open can still write.
   *
   * @return the witness of everything that was written
   */
  Witness freeze(String name) throws IOException;

  /** Restores the write permission, durably. */
  void thaw(String name) throws IOException;

  /** Freezes or thaws the volume; false when the volume needs no change, which costs one look. */
  boolean protect(String name, boolean frozen) throws IOException;

  /** Whether this agent can thaw the volume, which another host may have made immutable. */
  boolean mayThaw(String name) throws IOException;

  /**
   * The witness of a volume that differs from what the log has witnessed. Null when the volume is
   * unchanged, or when the log has no witness of the volume.
   */
  @Nullable Witness changed(Volume volume) throws IOException;

  /** How QEMU uses the volume, on this host alone. */
  FileUse use(String name) throws IOException;

  /** The process of {@link Traits#writersSeen} that may write to the volume, if there is one. */
  Optional<String> writer(String name) throws IOException;

  /** Frees a name; false when the name is free. */
  boolean remove(String name) throws IOException;

  /**
   * Bytes that the volume takes of the storage; 0 when there is no such volume, or none that an
   * agent made.
   */
  long allocated(String name) throws IOException;

  /** The length of a volume's file in bytes, without attaching the volume to this host. */
  long length(String name) throws IOException;

  /** Makes new and removed names durable. */
  void force() throws IOException;
}
