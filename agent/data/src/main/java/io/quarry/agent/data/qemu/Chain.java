package io.quarry.agent.data.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.agent.data.os.DiskUsage;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An image's files as the log names them, the top first. Tools always get the whole chain. The
 * backing file in a file's own header may be out of date: a merge can replace a volume without
 * touching the volumes above.
 */
public record Chain(List<Layer> layers) {
  /** How a host reaches the file of a layer. */
  public interface Place {
    /** Opens the file for reading. */
    NativeFile open(Path file) throws IOException;

    /** Bytes that the file takes of its storage. */
    long allocated(Path file) throws IOException;

    /** Whether the path is that of a block device, for which QEMU and libvirt have other words. */
    default boolean isDevice() {
      return false;
    }
  }

  /** A caller's file; links are followed. */
  private record OfCaller() implements Place {
    @Override
    public NativeFile open(Path file) throws IOException {
      return NativeFile.openRead(file);
    }

    @Override
    public long allocated(Path file) throws IOException {
      return DiskUsage.allocated(file);
    }
  }

  /** A file of a repository's folder. */
  private record InFolder(Folder folder) implements Place {
    @Override
    public NativeFile open(Path file) throws IOException {
      return folder.openRead(String.valueOf(file.getFileName()));
    }

    @Override
    public long allocated(Path file) throws IOException {
      return folder.allocated(String.valueOf(file.getFileName()));
    }
  }

  /** One file of a chain. */
  public record Layer(Path file, VolumeFormat format, Place place) {
    public Layer {
      file = file.toAbsolutePath();
    }

    public Layer(Path file, VolumeFormat format) {
      this(file, format, new OfCaller());
    }

    /** A layer for a volume. */
    public static Layer in(Folder folder, String name, VolumeFormat format) {
      return new Layer(folder.path(name), format, new InFolder(folder));
    }

    /** Requires a regular file of the folder itself, since tools get its path. */
    public Layer requireFile() throws IOException {
      open().close();
      return this;
    }

    /** Opens the file for reading. */
    public NativeFile open() throws IOException {
      return place.open(file);
    }

    /** The size of the disk as a guest sees it, read from the file. */
    public long virtualSize() throws IOException {
      try (NativeFile open = open()) {
        return format == VolumeFormat.RAW ? open.size() : Qcow2Header.read(open).virtualSize();
      }
    }

    /** Bytes that the file takes of its storage. */
    public long allocated() throws IOException {
      return place.allocated(file);
    }
  }

  public Chain {
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("a chain without files");
    }
  }

  /** A file that is an image by itself. */
  public static Chain of(Path file, VolumeFormat format) {
    return new Chain(List.of(new Layer(file, format)));
  }

  /** Call this before a tool gets the paths. */
  public Chain requireFiles() throws IOException {
    for (Layer layer : layers) {
      layer.requireFile();
    }
    return this;
  }

  public Layer top() {
    return layers.getFirst();
  }

  /** The upper layers as a chain of their own, without the layers below. */
  public Chain upper(int count) {
    return new Chain(layers.subList(0, count));
  }

  /** The layers below the upper ones. */
  public List<Layer> below(int count) {
    return layers.subList(count, layers.size());
  }

  /** A chain of this layer over other layers. */
  public static Chain over(Layer top, List<Layer> below) {
    return new Chain(Stream.concat(Stream.of(top), below.stream()).toList());
  }

  /** The chain in the form that QEMU's tools take instead of a file name. */
  public String name(boolean readOnly) {
    ObjectNode top = blockdev(readOnly);
    if (readOnly) {
      // A VM that starts meanwhile must not be refused; its writes end the reading.
      for (JsonNode node = top; node instanceof ObjectNode; node = node.get("backing")) {
        ((ObjectNode) node.get("file")).put("locking", "off");
      }
    }
    return "json:" + top;
  }

  /**
   * The name for writing without QEMU's own locks, so that readers and this writer do not refuse
   * each other.
   */
  public String sharedName() {
    ObjectNode top = blockdev(false);
    ((ObjectNode) top.get("file")).put("locking", "off");
    return "json:" + top;
  }

  /** For {@code -blockdev}: every layer and its format, so that QEMU guesses no format. */
  public ObjectNode blockdev(boolean readOnly) {
    ObjectNode below = null;
    for (Layer layer : layers.subList(1, layers.size()).reversed()) {
      below = node(layer, true, below);
    }
    return node(top(), readOnly, below);
  }

  private static ObjectNode node(Layer layer, boolean readOnly, @Nullable ObjectNode backing) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("driver", layer.format().label());
    node.put("read-only", readOnly);
    ObjectNode file = node.putObject("file");
    file.put("driver", layer.place().isDevice() ? "host_device" : "file");
    file.put("filename", layer.file().toString());
    file.put("read-only", readOnly);
    if (layer.format() == VolumeFormat.QCOW2) {
      node.set("backing", backing);
    }
    return node;
  }

  @Override
  public String toString() {
    return top().file().toString();
  }
}
