package io.quarry.coordinator.sim;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.NonReadableChannelException;
import java.nio.channels.NonWritableChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/** An open file, or a directory that is open to be forced. */
final class SimChannel extends FileChannel {
  private final SimMount mount;
  private final String path;
  private final @Nullable Inode inode;
  private final boolean readable;
  private final boolean writable;
  private long position;

  SimChannel(
      SimMount mount, String path, @Nullable Inode inode, boolean readable, boolean writable) {
    this.mount = mount;
    this.path = path;
    this.inode = inode;
    this.readable = readable;
    this.writable = writable;
  }

  private Inode file() throws IOException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
    if (inode == null) {
      throw new IOException(path + ": Is a directory");
    }
    return inode;
  }

  /** Reads the present content; other channels may write meanwhile, as on a real storage. */
  @Override
  public int read(ByteBuffer into, long at) throws IOException {
    if (!readable) {
      throw new NonReadableChannelException();
    }
    return file().read(into, at);
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    int length = read(into, position);
    position += Math.max(0, length);
    return length;
  }

  @Override
  public int write(ByteBuffer from, long at) throws IOException {
    if (!writable) {
      throw new NonWritableChannelException();
    }
    byte[] bytes = new byte[from.remaining()];
    from.get(bytes);
    mount.write(path, this, file(), at, bytes);
    return bytes.length;
  }

  @Override
  public int write(ByteBuffer from) throws IOException {
    int length = write(from, position);
    position += length;
    return length;
  }

  @Override
  public void force(boolean metaData) throws IOException {
    if (!isOpen()) {
      throw new ClosedChannelException();
    }
    mount.force(path, inode);
  }

  @Override
  public long size() throws IOException {
    return file().size();
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public FileChannel position(long newPosition) {
    position = newPosition;
    return this;
  }

  @Override
  public FileChannel truncate(long size) throws IOException {
    if (size < file().size()) {
      mount.truncate(path, this, file(), size);
    }
    position = Math.min(position, size);
    return this;
  }

  @Override
  protected void implCloseChannel() {}

  @Override
  public long read(ByteBuffer[] into, int offset, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long write(ByteBuffer[] from, int offset, int length) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long transferTo(long from, long count, WritableByteChannel target) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long at, long count) {
    throw new UnsupportedOperationException();
  }

  @Override
  public MappedByteBuffer map(MapMode mode, long at, long size) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileLock lock(long at, long size, boolean shared) {
    throw new UnsupportedOperationException();
  }

  @Override
  public @Nullable FileLock tryLock(long at, long size, boolean shared) {
    throw new UnsupportedOperationException();
  }
}
