package io.quarry.agent.server;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refuses requests that a foreign web page makes a browser send. The browser names the page's
 * origin. A page that points its own name at this agent's address (DNS rebinding) still sends its
 * own name as Host.
 */
final class WebPages {
  private static final String FETCH_SITE = "Sec-Fetch-Site";
  private static final Set<String> OWN_SITES = Set.of("same-origin", "none");
  private static final Pattern HOST =
      Pattern.compile("(\\[[0-9a-f:.]+(%[0-9a-z._~%-]+)?]|[^:@/?#\\[\\]\\s]+)(:\\d{1,5})?");

  /** No page can make a browser take an address for the page's own name. */
  private static final Pattern ADDRESS = Pattern.compile("\\[.*|\\d+\\.\\d+\\.\\d+\\.\\d+");

  /** The log names at most so many unknown names, since a caller can make up any number. */
  private static final int NAMES_LOGGED_MAX = 64;

  private static final Logger LOG = LoggerFactory.getLogger(WebPages.class);

  private static final String REMEDY =
      "Call with `quarry`, or with a client that sends neither Origin nor Sec-Fetch-Site.";

  private final Set<String> names;

  /** Unknown names that the log has named. */
  private final Set<String> logged = ConcurrentHashMap.newKeySet();

  /**
   * @param names of this agent, beside localhost and addresses
   */
  WebPages(Set<String> names) {
    this.names =
        names.stream()
            .map(name -> withoutDot(name.toLowerCase(Locale.ROOT)))
            .collect(Collectors.toSet());
  }

  /** Null for a request that may be answered. */
  @Nullable StorageException refusal(HttpServerRequest request) {
    List<String> hosts = request.headers().getAll("Host");
    String host = hosts.isEmpty() ? "" : hosts.getFirst().toLowerCase(Locale.ROOT);
    if (hosts.size() > 1 || !(host.isEmpty() || HOST.matcher(host).matches())) {
      return StorageException.invalid(
          "Host",
          "The header Host is no single host:port.",
          "Send one Host header with the agent's name or address, and its port.");
    }
    String name = host.replaceFirst(":\\d{1,5}$", "");
    if (!host.isEmpty() && !own(withoutDot(name))) {
      log(name);
      return foreign(
          "Host",
          "This agent is not known as " + SchemaCheck.shortened(host) + ".",
          "Call the agent by its address, or add the name to server.names of its configuration.");
    }
    return readOnly(request) ? null : foreignPage(request, host);
  }

  private @Nullable StorageException foreignPage(HttpServerRequest request, String host) {
    String site = request.getHeader(FETCH_SITE);
    if (site != null && !OWN_SITES.contains(site.toLowerCase(Locale.ROOT))) {
      return foreign(FETCH_SITE, "A web page of another site sent the request.", REMEDY);
    }
    for (String origin : request.headers().getAll("Origin")) {
      String from = origin.toLowerCase(Locale.ROOT);
      if (!from.equals("http://" + host) && !from.equals("https://" + host)) {
        return foreign(
            "Origin",
            "A web page of " + SchemaCheck.shortened(origin) + " sent the request.",
            REMEDY);
      }
    }
    return null;
  }

  /** A dot at the end of a name marks it as complete; DNS ignores the dot. */
  private static String withoutDot(String name) {
    return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
  }

  private void log(String name) {
    if (logged.size() < NAMES_LOGGED_MAX && logged.add(name)) {
      LOG.warn(
          "Refusing calls to the name {}, under which this agent is not known: add the name to"
              + " server.names of the configuration if callers may use it",
          SchemaCheck.shortened(name));
    }
  }

  private boolean own(String host) {
    return host.equals("localhost")
        || host.endsWith(".localhost")
        || ADDRESS.matcher(host).matches()
        || names.contains(host);
  }

  private static boolean readOnly(HttpServerRequest request) {
    return HttpMethod.GET.equals(request.method()) || HttpMethod.HEAD.equals(request.method());
  }

  private static StorageException foreign(String header, String message, String remedy) {
    return new StorageException(ErrorCode.FOREIGN_REQUEST, message, header, remedy);
  }
}
