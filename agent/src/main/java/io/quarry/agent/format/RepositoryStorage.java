package io.quarry.agent.format;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connected repository's storage as a directory tree. */
public final class RepositoryStorage implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RepositoryStorage.class);

  private final Path root;
  private final Genesis genesis;
  private final DirectorySlotStore slots;
  private final FileChannel volumesDirectory;

  RepositoryStorage(Path root, Genesis genesis, String writer) throws IOException {
    this.root = root;
    this.genesis = genesis;
    this.slots = new DirectorySlotStore(root, writer);
    this.volumesDirectory = FileChannel.open(volumes(), StandardOpenOption.READ);
  }

  public Genesis genesis() {
    return genesis;
  }

  public DirectorySlotStore slots() {
    return slots;
  }

  public Path root() {
    return root;
  }

  public Path volumes() {
    return root.resolve("volumes");
  }

  public Path volume(String file) {
    return volumes().resolve(file);
  }

  /** Where a fix keeps its claims and its progress. */
  public Path fix(String fixId) {
    return root.resolve("fixes").resolve(fixId);
  }

  public Path fixes() {
    return root.resolve("fixes");
  }

  public Path temporary() {
    return root.resolve("tmp");
  }

  /** Makes new and removed names of volume files durable. */
  public void forceVolumes() throws IOException {
    volumesDirectory.force(true);
  }

  /**
   * Asks the storage for next to nothing, in a way that no cache can answer: a file of that name is
   * made and removed.
   */
  public void ask(String fileName) throws IOException {
    Path file = temporary().resolve(fileName);
    try {
      Files.createFile(file);
    } catch (FileAlreadyExistsException e) {
      LOG.debug("{} is there already", file);
    }
    Files.delete(file);
  }

  /** Size and free bytes of the filesystem. */
  public Space space() throws IOException {
    FileStore store = Files.getFileStore(root);
    return new Space(store.getTotalSpace(), store.getUsableSpace());
  }

  /** In bytes. */
  public record Space(long capacity, long free) {}

  @Override
  public void close() {
    try {
      volumesDirectory.close();
      slots.close();
    } catch (IOException e) {
      LOG.warn("Closing {} failed: {}", root, e.toString());
    }
  }
}
