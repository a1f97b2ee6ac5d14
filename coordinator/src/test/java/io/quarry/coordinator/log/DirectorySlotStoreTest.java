package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectorySlotStoreTest extends SlotStoreContract {
  @TempDir Path root;
  private DirectorySlotStore store;

  @BeforeEach
  void open() throws IOException {
    Files.createDirectories(root.resolve("log"));
    Files.createDirectories(root.resolve("tmp"));
    store = new DirectorySlotStore(root, "a");
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  @Override
  SlotStore store() {
    return store;
  }

  @Test
  void noTemporaryFileStays() throws Exception {
    store.putIfAbsent("x", new byte[] {1});
    store.putIfAbsent("x", new byte[] {2});
    store.restoreBallast();
    try (Stream<Path> left = Files.list(root.resolve("tmp"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void tornHeadIsUnknown() throws Exception {
    store.writeHead(41);
    byte[] line = Files.readAllBytes(root.resolve("log/head"));
    line[19] = '9';
    Files.write(root.resolve("log/head"), line);
    assertThat(store.readHead()).isEmpty();
    Files.write(root.resolve("log/head"), new byte[0]);
    assertThat(store.readHead()).isEmpty();
    Files.write(root.resolve("log/head"), new byte[42]);
    assertThat(store.readHead()).isEmpty();
  }
}
