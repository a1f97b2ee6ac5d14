package io.quarry.agent.data.os;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/** A file of a simulated filesystem; calls that need the kernel are not supported. */
final class SimFile implements NativeFile {
  private final Path path;
  private final FileChannel channel;

  SimFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public Optional<NativeFile> direct() {
    return Optional.empty();
  }

  @Override
  public FileStatus status() throws IOException {
    return SimFolder.status(FileStatus.Kind.FILE, size());
  }

  @Override
  public Filesystem filesystem() {
    return SimFolder.FILESYSTEM;
  }

  @Override
  public long readSome(long offset, MemorySegment into) throws IOException {
    return Math.max(0, channel.read(into.asByteBuffer(), offset));
  }

  @Override
  public Outcome readDirect(long offset, MemorySegment into) {
    return Outcome.NOT_SUPPORTED;
  }

  @Override
  public OptionalLong cachedBytes(long offset, long length) {
    return OptionalLong.empty();
  }

  @Override
  public void write(long offset, MemorySegment from) throws IOException {
    ByteBuffer buffer = from.asByteBuffer();
    while (buffer.hasRemaining()) {
      int done = buffer.position();
      long _ = SimFolder.failing(path, "write", () -> channel.write(buffer, offset + done));
    }
  }

  @Override
  public Outcome writeDirect(long offset, MemorySegment from) {
    return Outcome.NOT_SUPPORTED;
  }

  /** A channel's truncate only makes files shorter. */
  @Override
  public void truncate(long size) throws IOException {
    if (size > channel.size()) {
      var _ = channel.write(ByteBuffer.allocate(1), size - 1);
    } else {
      channel.truncate(size);
    }
  }

  @Override
  public void zero(long offset, long length) throws IOException {
    write(offset, new byte[Math.toIntExact(length)]);
  }

  @Override
  public void dataSync() throws IOException {
    channel.force(false);
  }

  @Override
  public void sync() throws IOException {
    channel.force(true);
  }

  @Override
  public void setMode(int mode) {}

  @Override
  public void setOwner(int uid, int gid) {}

  @Override
  public void setImmutable(boolean immutable) {}

  /** The whole file counts as data. */
  @Override
  public Optional<Long> nextData(long offset) throws IOException {
    return offset < channel.size() ? Optional.of(offset) : Optional.empty();
  }

  @Override
  public long nextHole(long offset) throws IOException {
    return channel.size();
  }

  @Override
  public Outcome punchHole(long offset, long length) {
    return Outcome.NOT_SUPPORTED;
  }

  @Override
  public Outcome cloneWhole(NativeFile from) {
    return Outcome.NOT_SUPPORTED;
  }

  @Override
  public Outcome cloneRange(NativeFile from, long fromOffset, long length, long toOffset) {
    return Outcome.NOT_SUPPORTED;
  }

  @Override
  public Outcome copyRange(NativeFile from, long fromOffset, long length, long toOffset) {
    return Outcome.NOT_SUPPORTED;
  }

  @Override
  public Outcome startWriteback(long offset, long length) {
    return Outcome.NOT_SUPPORTED;
  }

  @Override
  public void adviseSequential() {}

  @Override
  public void adviseDontNeed(long offset, long length) {}

  /** Locks are only an early warning: callers continue without them. */
  @Override
  public boolean tryLock(long offset, long length) {
    return true;
  }

  @Override
  public boolean isLockedByOthers(long offset, long length) {
    return false;
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
