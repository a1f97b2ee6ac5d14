package io.quarry.agent.data;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.agent.data.qemu.MapEntry;
import io.quarry.agent.data.qemu.QemuImg;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The content of an image through all the images below it, read straight from their files. QEMU
 * tells where each stretch is, by {@code qemu-img map}. So a copy out of a chain costs what a copy
 * of a raw file costs, and filesystems can share blocks. Stretches that no file holds as they are,
 * above all compressed clusters, are read through a QEMU server. That server starts only when a
 * reader needs it.
 *
 * <p>No image of the chain may change while it is read.
 */
public final class ChainSource implements Source {
  private static final long COUNT_STEP_BYTES = 1L << 30;

  private final Children children;
  private final Path runtimeDirectory;
  private final Chain chain;
  private final long size;
  private final ChainMap map;
  private final List<SourceFile> files;
  private @Nullable NbdSource server;

  private ChainSource(
      Children children, Path runtimeDirectory, Chain chain, long size, List<SourceFile> files) {
    this.children = children;
    this.runtimeDirectory = runtimeDirectory;
    this.chain = chain;
    this.size = size;
    this.files = files;
    this.map = new ChainMap(new QemuImg(children), chain, size);
  }

  /**
   * Opens the chain, whose files are plain raw and qcow2.
   *
   * @param size the virtual size of the image
   */
  public static ChainSource open(Children children, Path runtimeDirectory, Chain chain, long size)
      throws IOException {
    List<SourceFile> files = new ArrayList<>();
    try {
      for (Chain.Layer layer : chain.layers()) {
        files.add(SourceFile.of(layer.open()));
      }
    } catch (IOException e) {
      files.forEach(SourceFile::close);
      throw e;
    }
    return new ChainSource(children, runtimeDirectory, chain, size, List.copyOf(files));
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public List<Extent> extents(long offset, long length) throws IOException {
    Extents extents = new Extents();
    long end = Math.addExact(offset, length);
    long at = offset;
    while (at < end) {
      MapEntry entry = map.at(at);
      long stop = Math.min(end, entry.end());
      extents.add(extent(entry, at, stop - at));
      at = stop;
    }
    return extents.list();
  }

  /**
   * The extents of a range in the upper layers of the chain. Where these layers have no entry there
   * is no extent, and the layers below show.
   */
  public List<Extent> extentsAbove(int layers, long offset, long length) throws IOException {
    Extents extents = new Extents();
    long end = Math.addExact(offset, length);
    long at = offset;
    while (at < end) {
      MapEntry entry = map.at(at);
      long stop = Math.min(end, entry.end());
      if (entry.present() && entry.depth() < layers) {
        extents.add(extent(entry, at, stop - at));
      }
      at = stop;
    }
    return extents.list();
  }

  /**
   * The upper layers of the chain as a difference to the lower ones; this source closes the
   * difference.
   */
  public Source above(int layers) {
    return new Source() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public List<Extent> extents(long offset, long length) throws IOException {
        return extentsAbove(layers, offset, length);
      }

      @Override
      public void read(long offset, MemorySegment into) throws IOException {
        ChainSource.this.read(offset, into);
      }

      @Override
      public void close() throws IOException {
        ChainSource.this.close();
      }
    };
  }

  /** How many bytes of data the upper layers of the chain hold. */
  public long dataAbove(int layers, CopyControl control) throws IOException, InterruptedException {
    long bytes = 0;
    for (long at = 0; at < size; at += COUNT_STEP_BYTES) {
      control.check("counting what there is to move, at " + at);
      for (Extent extent : extentsAbove(layers, at, Math.min(COUNT_STEP_BYTES, size - at))) {
        bytes += extent.kind() == Extent.Kind.DATA ? extent.length() : 0;
      }
    }
    return bytes;
  }

  @Override
  public void read(long offset, MemorySegment into) throws IOException {
    long end = offset + into.byteSize();
    long at = offset;
    while (at < end) {
      MapEntry entry = map.at(at);
      long stop = Math.min(end, entry.end());
      Extent extent = extent(entry, at, stop - at);
      MemorySegment part = into.asSlice(at - offset, stop - at);
      if (extent.kind() == Extent.Kind.ZERO) {
        part.fill((byte) 0);
      } else if (extent.place().isPresent()) {
        readFromFile(files.get(entry.depth()), extent.place().get().offset(), part);
      } else {
        server().read(at, part);
      }
      at = stop;
    }
  }

  /**
   * A file may end inside its last cluster. Behind the end QEMU reads zeros, and so does this
   * method.
   */
  private static void readFromFile(SourceFile file, long offset, MemorySegment into)
      throws IOException {
    long inFile = Math.clamp(file.file().size() - offset, 0, into.byteSize());
    file.read(offset, into.asSlice(0, inFile));
    into.asSlice(inFile).fill((byte) 0);
  }

  private Extent extent(MapEntry entry, long offset, long length) {
    if (entry.zero()) {
      return Extent.zero(offset, length);
    }
    if (entry.fileOffset().isEmpty() || entry.depth() >= files.size()) {
      return Extent.data(offset, length);
    }
    long fileOffset = entry.fileOffset().getAsLong() + offset - entry.start();
    return Extent.data(offset, length, files.get(entry.depth()).file(), fileOffset);
  }

  private synchronized NbdSource server() throws IOException {
    if (server == null) {
      try {
        server = NbdSource.open(children, runtimeDirectory, chain);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException(chain + ": interrupted while its server starts");
      }
    }
    return server;
  }

  @Override
  public synchronized void close() throws IOException {
    files.forEach(SourceFile::close);
    if (server != null) {
      server.close();
    }
  }
}
