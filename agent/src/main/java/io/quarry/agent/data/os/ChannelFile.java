package io.quarry.agent.data.os;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.OptionalLong;

/** A file of a filesystem that only Java knows: what needs the kernel is not supported. */
final class ChannelFile implements NativeFile {
  private final Path path;
  private final FileChannel channel;

  private ChannelFile(Path path, OpenOption... options) throws IOException {
    this.path = path;
    this.channel = FileChannel.open(path, options);
  }

  static NativeFile openRead(Path path) throws IOException {
    return new ChannelFile(path, StandardOpenOption.READ);
  }

  static NativeFile openWrite(Path path) throws IOException {
    return new ChannelFile(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  static NativeFile createNew(Path path) throws IOException {
    return new ChannelFile(
        path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
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
  public void read(long offset, MemorySegment into) throws IOException {
    ByteBuffer buffer = into.asByteBuffer();
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, offset + buffer.position()) < 0) {
        throw new EOFException(path + ": ends at " + (offset + buffer.position()));
      }
    }
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
      var _ = channel.write(buffer, offset + buffer.position());
    }
  }

  @Override
  public Outcome writeDirect(long offset, MemorySegment from) {
    return Outcome.NOT_SUPPORTED;
  }

  /** A channel only makes files shorter by itself. */
  @Override
  public void truncate(long size) throws IOException {
    if (size > channel.size()) {
      var _ = channel.write(ByteBuffer.allocate(1), size - 1);
    } else {
      channel.truncate(size);
    }
  }

  @Override
  public void dataSync() throws IOException {
    channel.force(false);
  }

  /** All of it counts as data. */
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

  /** Locks are an early warning only: who has none goes without. */
  @Override
  public boolean tryLock(long offset, long length) {
    return true;
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
