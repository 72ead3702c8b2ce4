"""An RSA-2048 key pair FOR TESTS ONLY: its private half is published with this file. Never encrypt anything to it."""

P = int("0x"
          "e660a13ebffef531d9f6f0557d07a81bd4d23d2633cd3925736c649cb4a1563f7440aee49f4536a786f9b8511a733ab508fd"
          "0d7298e65c57d573218f2fe45f61e87f574311a94e196005a2a0b2b6c24b955ff360662e977d8c8d8d6320ad304307c0632d"
          "039542cdece1c0488044ad9a421ff1f0ff6aa5a56bc22b74d202c64d", 16)
Q = int("0x"
          "c1c9f9071c0c6b03ea83bddbb841089f146ad4df37d5ebe0be3b0f7d6f68638dd8237930abbec14a1a2e5ded25f7e800a618"
          "8a4d0342fee3e1e34a85bc2c4b15f0227c77b82f539efae6bfb394290200aef685e8db2226ff65473df15a89d88742b9c9f0"
          "8c735735f73179919547f8c9843b0b64fb6a226a1bced5e266f19a9b", 16)
N = P * Q
E = 65537
D = pow(E, -1, (P - 1) * (Q - 1))
