// A link that saves bytes that the page has to a file.

import { useEffect, useState } from "preact/hooks";

interface DownloadProps {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly label: string;
}

export function Download({ bytes, name, label }: DownloadProps) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([Uint8Array.from(bytes)], { type: "application/octet-stream" }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes]);
  return (
    <a class="button" href={address} download={name}>
      {label}
    </a>
  );
}
