package io.quarry.agent.format;

import com.fasterxml.jackson.core.JacksonException;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.FileModes;
import io.quarry.agent.data.os.Filesystem;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.common.api.Json;
import io.quarry.coordinator.cluster.Canary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connected repository's storage as a directory tree, opened once. */
public final class RepositoryStorage implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RepositoryStorage.class);

  private static final String CANARY = "canary.";

  /** One sector, so that a reader sees the old or the new one. */
  private static final int CANARY_BYTES = 512;

  private final Folder root;
  private final Genesis genesis;
  private final DirectorySlotStore slots;
  private final VolumeStore volumes;
  private final Folder fixes;
  private final Folder temporary;

  /**
   * @param root is closed with it
   * @param group that volumes belong to
   */
  RepositoryStorage(Folder root, Genesis genesis, String writer, int group) throws IOException {
    this.root = root;
    this.genesis = genesis;
    this.slots = new DirectorySlotStore(root, writer);
    this.volumes = new VolumeStore(root.folder("volumes"), group);
    this.fixes = root.folder("fixes");
    this.temporary = root.folder("tmp");
  }

  public Genesis genesis() {
    return genesis;
  }

  public DirectorySlotStore slots() {
    return slots;
  }

  public Path root() {
    return root.path();
  }

  /** The files of volumes. */
  public VolumeStore volumes() {
    return volumes;
  }

  /** The path of a volume's file, for messages; tools get it when the file was looked at. */
  public Path volume(String file) {
    return volumes.folder().path(file);
  }

  /** One folder for each fix, with its claims and its progress. */
  public Folder fixes() {
    return fixes;
  }

  /** Files that are linked or moved away as soon as they are written. */
  public Folder temporary() {
    return temporary;
  }

  /**
   * Asks the storage for next to nothing, in a way that no cache can answer: a file of that name is
   * made and removed.
   */
  public void ask(String fileName) throws IOException {
    try {
      temporary.createNew(fileName, FileModes.METADATA).close();
    } catch (FileFailure.Exists e) {
      LOG.debug("{} is there already", temporary.path(fileName));
    }
    temporary.remove(fileName);
  }

  /**
   * The canaries that SDMs have left, at the path that tools get: a mount may have changed since
   * the folders were opened.
   */
  public List<Canary> canaries() throws IOException {
    List<Canary> found = new ArrayList<>();
    try (Folder now = Folder.open(root.path())) {
      for (String name : now.names()) {
        byte[] content = name.startsWith(CANARY) ? now.read(name, CANARY_BYTES) : null;
        if (content != null) {
          add(content, name, found);
        }
      }
    } catch (FileFailure.NotFound e) {
      return List.of();
    }
    return found;
  }

  /** A host that died in the middle of it must not keep the others from theirs. */
  private static void add(byte[] content, String name, List<Canary> found) throws IOException {
    try {
      found.add(Json.MAPPER.readValue(content, Canary.class));
    } catch (JacksonException e) {
      LOG.debug("{} is being written, or was not written whole: {}", name, e.getMessage());
    }
  }

  /**
   * Each host has a file of its own: an SDM that was paused and deposed must not write over its
   * successor's. Written in place, since a name that comes and goes is seen late on a shared
   * filesystem; durable, since ZooKeeper shows it durably afterwards.
   */
  public void writeCanary(String hostId, Canary canary) throws IOException {
    byte[] text = Json.MAPPER.writeValueAsBytes(canary);
    byte[] block = Arrays.copyOf(text, CANARY_BYTES);
    Arrays.fill(block, text.length, block.length, (byte) ' ');
    try (NativeFile file = openCanary(CANARY + hostId)) {
      file.write(0, block);
      file.sync();
    }
  }

  private NativeFile openCanary(String name) throws IOException {
    try {
      return root.openWrite(name);
    } catch (FileFailure.NotFound e) {
      NativeFile created = root.createNew(name, FileModes.METADATA);
      root.force();
      return created;
    }
  }

  /** Size and free bytes of the filesystem. */
  public Space space() throws IOException {
    Filesystem filesystem = root.filesystem();
    return new Space(filesystem.capacity(), filesystem.free());
  }

  /** In bytes. */
  public record Space(long capacity, long free) {}

  @Override
  public void close() {
    volumes.close();
    fixes.close();
    temporary.close();
    slots.close();
  }
}
