package io.quarry.agent.data.nbd;

import io.quarry.agent.data.process.ToolLimits;
import io.quarry.agent.data.qemu.Chain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An image and how qemu-nbd opens it.
 *
 * @param shared whether others may read the files while it is written
 * @param clients how many connections it takes at the same time
 * @param limits for an image that comes from outside
 */
public record ServedImage(
    Chain chain,
    boolean writable,
    boolean shared,
    Cache cache,
    Aio aio,
    int clients,
    Optional<ToolLimits> limits) {
  /** How the server uses the page cache of the host. */
  public enum Cache {
    NONE("none"),
    WRITEBACK("writeback");

    private final String label;

    Cache(String label) {
      this.label = label;
    }
  }

  /** How the server does its input and output. */
  public enum Aio {
    THREADS("threads"),
    IO_URING("io_uring");

    private final String label;

    Aio(String label) {
      this.label = label;
    }
  }

  public ServedImage {
    if (clients < 1) {
      throw new IllegalArgumentException(clients + " clients");
    }
  }

  /** For copying: through the page cache, since an image that is copied was often just written. */
  public static ServedImage readOnly(Chain chain) {
    return new ServedImage(chain, false, false, Cache.WRITEBACK, Aio.THREADS, 1, Optional.empty());
  }

  /** For changing the top of a chain; around the page cache a flush is ten times cheaper. */
  public static ServedImage writable(Chain chain) {
    return new ServedImage(chain, true, false, Cache.NONE, Aio.IO_URING, 1, Optional.empty());
  }

  /**
   * For writing down into the top of a chain that others may read. Through the page cache: a raw
   * file that is written around it can grow to a full block.
   */
  public static ServedImage shared(Chain chain) {
    return new ServedImage(chain, true, true, Cache.WRITEBACK, Aio.THREADS, 1, Optional.empty());
  }

  public ServedImage with(Cache newCache, Aio newAio) {
    return new ServedImage(chain, writable, shared, newCache, newAio, clients, limits);
  }

  public ServedImage withClients(int newClients) {
    return new ServedImage(chain, writable, shared, cache, aio, newClients, limits);
  }

  public ServedImage within(ToolLimits newLimits) {
    return new ServedImage(chain, writable, shared, cache, aio, clients, Optional.of(newLimits));
  }

  List<String> command(Path socket) {
    List<String> words = new ArrayList<>();
    limits.ifPresent(limit -> words.addAll(limit.prefix()));
    words.addAll(List.of("qemu-nbd", "--socket=" + socket, "--shared=" + clients));
    words.addAll(List.of("--cache=" + cache.label, "--aio=" + aio.label));
    words.addAll(List.of("--allocation-depth", "--discard=unmap"));
    if (!writable) {
      words.add("--read-only");
    }
    words.add(shared ? chain.sharedName() : chain.name(!writable));
    return words;
  }
}
