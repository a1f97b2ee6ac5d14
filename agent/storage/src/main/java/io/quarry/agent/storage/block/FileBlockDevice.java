package io.quarry.agent.storage.block;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.os.Outcome;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * A block device, or a file in its place. Reads and writes go around the page cache, which other
 * hosts do not see.
 */
public final class FileBlockDevice implements BlockDevice {
  private final NativeFile file;
  private final NativeFile direct;

  private final String name;

  private FileBlockDevice(NativeFile file, NativeFile direct, String name) {
    this.file = file;
    this.direct = direct;
    this.name = name;
  }

  /**
   * @throws IOException when the device cannot be read and written around the page cache
   */
  public static FileBlockDevice open(Path path) throws IOException {
    return open(path, path.toString());
  }

  /**
   * @param name of the device in messages
   * @throws IOException when the device cannot be read and written around the page cache
   */
  public static FileBlockDevice open(Path path, String name) throws IOException {
    NativeFile file = NativeFile.openWrite(path);
    try {
      NativeFile direct =
          file.direct()
              .orElseThrow(() -> new IOException(path + ": the device offers no direct I/O"));
      return new FileBlockDevice(file, direct, name);
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  @Override
  public long size() throws IOException {
    return file.size();
  }

  @Override
  public void read(long offset, byte[] into) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(into.length, NativeFile.DIRECT_ALIGNMENT);
      require(direct.readDirect(offset, buffer));
      MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, into, 0, into.length);
    }
  }

  @Override
  public void write(long offset, byte[] from) throws IOException {
    writeUnforced(offset, from);
    force();
  }

  @Override
  public void writeUnforced(long offset, byte[] from) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(from.length, NativeFile.DIRECT_ALIGNMENT);
      MemorySegment.copy(from, 0, buffer, ValueLayout.JAVA_BYTE, 0, from.length);
      require(direct.writeDirect(offset, buffer));
    }
  }

  private void require(Outcome outcome) throws IOException {
    if (outcome != Outcome.DONE) {
      throw new IOException(name() + ": the device offers no direct I/O");
    }
  }

  @Override
  public void force() throws IOException {
    direct.dataSync();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void close() {
    direct.close();
    file.close();
  }
}
