package io.quarry.agent.storage.block;

import java.io.IOException;

/**
 * A device that many hosts share. Offsets and lengths are multiples of {@link Layout#BLOCK}. A
 * sector of 512 bytes is written whole or not at all.
 */
public interface BlockDevice extends AutoCloseable {
  long size() throws IOException;

  /** Fills the array with what the device holds now, around all caches of this host. */
  void read(long offset, byte[] into) throws IOException;

  /**
   * Writes the array. The bytes are durable when the method returns. After an exception, any part
   * of the bytes may be there, now or later.
   */
  void write(long offset, byte[] from) throws IOException;

  /** Like {@link #write}, but the bytes are durable only after the next {@link #force}. */
  void writeUnforced(long offset, byte[] from) throws IOException;

  /** Makes everything durable that was written before. */
  void force() throws IOException;

  /** The name of the device, for messages. */
  String name();

  @Override
  void close();
}
