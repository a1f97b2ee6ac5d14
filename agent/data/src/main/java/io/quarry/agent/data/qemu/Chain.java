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
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An image's files as metadata names them, the top first. Tools are always told all of it: what a
 * file's own header says of its backing file may be out of date, since a volume in the middle of a
 * chain can be replaced by another one without touching those over it.
 */
public record Chain(List<Layer> layers) {
  /**
   * One file of a chain.
   *
   * @param folder of the repository that holds it; empty for a file of the user's
   */
  public record Layer(Path file, VolumeFormat format, Optional<Folder> folder) {
    public Layer {
      file = file.toAbsolutePath();
    }

    public Layer(Path file, VolumeFormat format) {
      this(file, format, Optional.empty());
    }

    /** A volume. */
    public static Layer in(Folder folder, String name, VolumeFormat format) {
      return new Layer(folder.path(name), format, Optional.of(folder));
    }

    /** Tools get its path, so what is there has to be a file of the folder itself. */
    public Layer requireFile() throws IOException {
      open().close();
      return this;
    }

    /** To read it. */
    public NativeFile open() throws IOException {
      return folder.isPresent()
          ? folder.get().openRead(String.valueOf(file.getFileName()))
          : NativeFile.openRead(file);
    }

    /** Bytes that a machine sees of it, as its file says. */
    public long virtualSize() throws IOException {
      try (NativeFile open = open()) {
        return format == VolumeFormat.RAW ? open.size() : Qcow2Header.read(open).virtualSize();
      }
    }

    /** Bytes that it takes of its storage. */
    public long allocated() throws IOException {
      return folder.isPresent()
          ? folder.get().allocated(String.valueOf(file.getFileName()))
          : DiskUsage.allocated(file);
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

  /** Before a tool is told of the paths. */
  public Chain requireFiles() throws IOException {
    for (Layer layer : layers) {
      layer.requireFile();
    }
    return this;
  }

  public Layer top() {
    return layers.getFirst();
  }

  /** The upper layers as if there were nothing below them. */
  public Chain upper(int count) {
    return new Chain(layers.subList(0, count));
  }

  /** What is below the upper layers. */
  public List<Layer> below(int count) {
    return layers.subList(count, layers.size());
  }

  /** This one over the layers of another. */
  public static Chain over(Layer top, List<Layer> below) {
    return new Chain(Stream.concat(Stream.of(top), below.stream()).toList());
  }

  /** As QEMU's tools take it in the place of a file name. */
  public String name(boolean readOnly) {
    ObjectNode top = blockdev(readOnly);
    if (readOnly) {
      // A machine that starts meanwhile must not be refused; what it writes ends whoever reads.
      for (JsonNode node = top; node instanceof ObjectNode; node = node.get("backing")) {
        ((ObjectNode) node.get("file")).put("locking", "off");
      }
    }
    return "json:" + top;
  }

  /**
   * The same, to write, without QEMU's own locks: whoever reads the file meanwhile is neither
   * refused nor refuses this.
   */
  public String sharedName() {
    ObjectNode top = blockdev(false);
    ((ObjectNode) top.get("file")).put("locking", "off");
    return "json:" + top;
  }

  /** For {@code -blockdev}: every layer and its format, so that QEMU probes nothing. */
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
    file.put("driver", "file");
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
